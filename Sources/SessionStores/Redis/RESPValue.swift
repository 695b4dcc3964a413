/// A reply of Redis (RESP2; of RESP3 what can be said in RESP2, and pushes).
package enum RESPValue: Equatable, Sendable {
  /// A status, such as OK.
  case simple(String)
  /// An error: a code in capitals, a space, and a sentence.
  case error(String)
  case integer(Int)
  case bytes([UInt8])
  case null
  case array([RESPValue])
  /// What was not asked for (RESP3).
  case push([RESPValue])

  /// The text of a string or a status.
  var text: String? {
    switch self {
    case .simple(let text): text
    case .bytes(let bytes): String(validating: bytes, as: UTF8.self)
    case .error, .integer, .null, .array, .push: nil
    }
  }

  /// The number of an integer, or of a string of digits: a script's hash fields come as those.
  var number: Int? {
    switch self {
    case .integer(let number): number
    case .bytes, .simple: text.flatMap { Int($0) }
    case .error, .null, .array, .push: nil
    }
  }

  var elements: [RESPValue]? { if case .array(let elements) = self { elements } else { nil } }
}

/// A command as it is sent: an array of strings.
enum RESPCommand {
  static func append(_ parts: [[UInt8]], to output: inout [UInt8]) {
    appendHead(parts.count, to: &output)
    for part in parts { append(part, to: &output) }
  }

  /// What stands before so many strings.
  static func appendHead(_ count: Int, to output: inout [UInt8]) {
    append(UInt8(ascii: "*"), count, to: &output)
  }

  static func append(_ part: [UInt8], to output: inout [UInt8]) {
    append(UInt8(ascii: "$"), part.count, to: &output)
    output += part
    output.append(0x0D)
    output.append(0x0A)
  }

  private static func append(_ mark: UInt8, _ count: Int, to output: inout [UInt8]) {
    output.append(mark)
    var power = 1
    while power <= count / 10 { power *= 10 }
    while power > 0 {
      output.append(UInt8(ascii: "0") + UInt8(count / power % 10))
      power /= 10
    }
    output.append(0x0D)
    output.append(0x0A)
  }
}
