import FoundationEssentials

/// A settings file: one JSON object, each key the name of a setting.
struct SettingsFile: Sendable, Equatable {
  let path: String
  /// The values as they would be typed; a null is a setting left out.
  let texts: [Setting: String]

  /// The file at `path`.
  init(path: String) throws(CarouselError) {
    try self.init(try readFile(path), path: path)
  }

  /// - Parameters:
  ///   - bytes: the file's content.
  ///   - path: names the file in errors; paths in the file are relative to its folder.
  init(_ bytes: [UInt8], path: String) throws(CarouselError) {
    self.path = path
    let source = SettingSource.file(path: path)
    let scalars: [String: Scalar]
    do {
      scalars = try JSONDecoder().decode([String: Scalar].self, from: Data(bytes))
    } catch DecodingError.typeMismatch(_, let context) where !context.codingPath.isEmpty {
      let name = context.codingPath[0].stringValue
      throw .badSettingsFile(path: path, problem: "\(name) is not text, a number or null")
    } catch {
      throw .badSettingsFile(path: path, problem: "not a JSON object of settings")
    }
    let settings = Dictionary(uniqueKeysWithValues: Setting.all.map { ($0.name, $0) })
    var texts: [Setting: String] = [:]
    for (name, scalar) in scalars.sorted(by: { $0.key < $1.key }) {
      guard let setting = settings[name] else {
        throw .unknownSetting(
          name: name, source: source, nearest: nearestName(to: name, among: settings.keys))
      }
      guard let text = scalar.text else { continue }
      texts[setting] = setting.kind == .path ? Self.resolve(text, besideFile: path) : text
    }
    self.texts = texts
  }

  /// `text`, relative to the folder that holds `file` unless it is absolute.
  private static func resolve(_ text: String, besideFile file: String) -> String {
    guard !text.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return text }
    return file[...slash] + text
  }

  /// A JSON value that is no array and no object, as text.
  private struct Scalar: Decodable {
    let text: String?

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if container.decodeNil() {
        text = nil
      } else if let number = try? container.decode(Int.self) {
        text = String(number)
      } else if let number = try? container.decode(Double.self) {
        text = "\(number)"
      } else if let flag = try? container.decode(Bool.self) {
        text = "\(flag)"
      } else {
        text = try container.decode(String.self)
      }
    }
  }
}
