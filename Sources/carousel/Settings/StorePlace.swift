import SessionStores

/// Where sessions are kept, by `session_store`.
enum StorePlace: Equatable {
  case memory
  case file(path: String)
  case redis(RedisLocation)

  /// Nil where the text says none.
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

  /// The text of the setting as it may be shown, be it one that can't be used.
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
