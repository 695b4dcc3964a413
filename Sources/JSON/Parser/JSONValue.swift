/// A JSON value as it was written: numbers keep their text, objects the order of their keys.
package enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case number(String)
  case string(String)
  case array([JSONValue])
  case object([Member])

  /// A key of an object and its value.
  package struct Member: Sendable, Equatable {
    package let key: String
    package let value: JSONValue

    package init(key: String, value: JSONValue) {
      self.key = key
      self.value = value
    }
  }

  /// The value as JSON, on one line.
  package var text: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .number(let text): text
    case .string(let text): text.jsonText
    case .array(let elements): "[\(elements.map(\.text).joined(separator: ", "))]"
    case .object(let members):
      "{\(members.map { "\($0.key.jsonText): \($0.value.text)" }.joined(separator: ", "))}"
    }
  }

  /// The kind of value, for a message.
  package var kind: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .number(let text): text.utf8.count <= 40 ? text : "a long number"
    case .string(let text): text.jsonExcerpt
    case .array(let elements): "an array of \(elements.count)"
    case .object: "an object"
    }
  }
}
