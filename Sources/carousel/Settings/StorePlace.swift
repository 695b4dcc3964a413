import SessionStores

/// Where sessions are kept, by `session_store`.
enum StorePlace: Equatable {
  case memory
  case file(path: String)
  case redis(RedisLocation)

  /// Nil if `text` names no place.
  init?(_ text: String) {
    if text == "memory" {
      self = .memory
    } else if let path = SettingText.storePath(text) {
      self = .file(path: path)
    } else if let location = RedisLocation(text) {
      self = .redis(location)
    } else {
      return nil
    }
  }

  /// `text` without its password, as it may be shown; it need not be a valid place.
  static func withoutPassword(_ text: String) -> String {
    switch StorePlace(text) {
    case .redis(let location): return location.description
    case .memory, .file: return text
    case nil:
      guard let end = text.lastIndex(of: "@") else { return text }
      return "\(text.prefix { $0 != ":" })://***\(text[end...])"
    }
  }
}
