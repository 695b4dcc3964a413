/// A reply of Redis (RESP2).
enum RESPValue: Equatable, Sendable {
  /// A status, such as OK.
  case simple(String)
  /// An error: a code in capitals, a space, and a sentence.
  case error(String)
  case integer(Int)
  case bytes([UInt8])
  case null
  case array([RESPValue])

  /// The text of a string or a status.
  var text: String? {
    switch self {
    case .simple(let text): text
    case .bytes(let bytes): String(validating: bytes, as: UTF8.self)
    case .error, .integer, .null, .array: nil
    }
  }

  /// The number of an integer, or of a string of digits: a script's hash fields come as those.
  var number: Int? {
    switch self {
    case .integer(let number): number
    case .bytes, .simple: text.flatMap { Int($0) }
    case .error, .null, .array: nil
    }
  }

  var elements: [RESPValue]? { if case .array(let elements) = self { elements } else { nil } }
}

/// A command as it is sent: an array of strings.
enum RESPCommand {
  static func append(_ parts: [[UInt8]], to output: inout [UInt8]) {
    output += "*\(parts.count)\r\n".utf8
    for part in parts {
      output += "$\(part.count)\r\n".utf8
      output += part
      output += "\r\n".utf8
    }
  }
}
