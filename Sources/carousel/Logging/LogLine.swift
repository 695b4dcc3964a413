import JSON
import Logging
import ModelFormat

/// The content of a log line.
struct LogLine {
  let time: Timestamp
  let level: String
  let message: String
  let metadata: Logger.Metadata

  /// The names of a line's own members; metadata with such a name gets an underscore appended.
  private static let ownNames: Set = ["time", "level", "message"]

  /// A JSON object: `time`, `level`, `message`, then the metadata by name.
  var json: String {
    var line = "{\"time\":\"\(time)\",\"level\":\"\(level)\",\"message\":\(message.jsonText)"
    for (name, value) in metadata.sorted(by: { $0.key < $1.key }) {
      let unique = Self.ownNames.contains(name) ? name + "_" : name
      line += ",\(unique.jsonText):\(Self.json(value))"
    }
    return line + "}"
  }

  /// `2026-01-31T23:59:59.999Z info  ready address=… model="a b"`, with control characters escaped.
  var text: String {
    let padding = String(repeating: " ", count: max(0, 7 - level.utf8.count))
    var line = "\(time) \(level)\(padding) \(Self.oneLine(message))"
    for (name, value) in metadata.sorted(by: { $0.key < $1.key }) {
      line += " \(Self.word(name))=\(Self.text(value))"
    }
    return line
  }

  private static func json(_ value: Logger.MetadataValue) -> String {
    switch value {
    case .string(let text): text.jsonText
    case .stringConvertible(let value):
      switch value {
      // Numbers stay numbers, except NaN and infinities, which JSON lacks.
      case let number as any BinaryInteger: "\(number)"
      case let number as Double where number.isFinite: "\(number)"
      case let number as Float where number.isFinite: "\(number)"
      case let flag as Bool: "\(flag)"
      default: value.description.jsonText
      }
    case .array(let values): "[\(values.map(json).joined(separator: ","))]"
    case .dictionary(let values):
      "{"
        + values.sorted { $0.key < $1.key }
        .map { "\($0.key.jsonText):\(json($0.value))" }.joined(separator: ",") + "}"
    }
  }

  private static func text(_ value: Logger.MetadataValue) -> String {
    switch value {
    case .string(let text): word(text)
    case .stringConvertible(let value): word(value.description)
    case .array, .dictionary: json(value)
    }
  }

  /// `text`, in quotes if it is not a single word.
  private static func word(_ text: String) -> String {
    let plain = text.unicodeScalars.allSatisfy {
      $0.isPrintable && $0 != " " && $0 != "\"" && $0 != "="
    }
    return plain && !text.isEmpty ? text : text.jsonText
  }

  /// `text` with control characters escaped, so that a client's text can't begin a new line.
  private static func oneLine(_ text: String) -> String {
    text.unicodeScalars.allSatisfy(\.isPrintable) ? text : text.jsonText
  }
}
