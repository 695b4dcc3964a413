import JSON
import ModelFormat

/// A settings file: one JSON object, each key the name of a setting.
struct SettingsFile: Sendable, Equatable {
  let path: String
  /// The values as one would type them; a null counts as left out.
  let texts: [Setting: String]

  /// The file at `path`.
  init(path: String) throws(CarouselError) {
    try self.init(try readSettingFile(path), path: path)
  }

  /// - Parameters:
  ///   - bytes: the file's content.
  ///   - path: names the file in errors; paths in the file are relative to its folder.
  init(_ bytes: [UInt8], path: String) throws(CarouselError) {
    self.path = path
    let source = SettingSource.file(path: path)
    let value: JSONValue
    do { value = try JSONParser.parse(bytes) } catch {
      throw .badSettingsFile(path: path, problem: "\(error)")
    }
    guard case .object(let members) = value else {
      throw .badSettingsFile(path: path, problem: "not a JSON object of settings")
    }
    let settings = Setting.all { $0 }
    var texts: [Setting: String] = [:]
    for member in members {
      guard let setting = settings[member.key] else {
        throw .unknownSetting(
          name: member.key, source: source,
          nearest: nearestName(to: member.key, among: settings.keys))
      }
      let text: String
      switch member.value {
      case .null: continue
      case .bool(let flag): text = "\(flag)"
      case .number(let number): text = number
      case .string(let string): text = string
      case .array, .object:
        let kind = setting.kind.isList ? "one text, of" : "no array or object, but"
        throw .badSettingsFile(
          path: path,
          problem: "\(member.key): found \(member.value.kind), expected \(kind) \(setting.expected)"
        )
      }
      guard texts[setting].map({ $0 == text }) ?? true else {
        throw .twoNames(setting.name, setting.formerName ?? "", source: source)
      }
      texts[setting] =
        switch setting.kind {
        case .path: Self.resolve(text, besideFile: path)
        case .paths:
          text.split(separator: ":").map { Self.resolve(String($0), besideFile: path) }
            .joined(separator: ":")
        case .store:
          SettingText.storePath(text).map { "file:\(Self.resolve($0, besideFile: path))" } ?? text
        case .text, .integer, .bytes, .seconds, .number, .networks, .origins, .choice, .secret: text
        }
    }
    self.texts = texts
  }

  /// `text`, relative to the folder that holds `file` unless it is absolute.
  private static func resolve(_ text: String, besideFile file: String) -> String {
    guard !text.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return text }
    return file[...slash] + text
  }
}
