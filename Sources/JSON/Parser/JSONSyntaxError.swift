/// Why `JSONParser` refuses a text. Lines and columns count from 1, columns in bytes.
package enum JSONSyntaxError: Error, Equatable, Sendable {
  /// `found` is the byte at that place; nil at the end of the text.
  case malformed(line: Int, column: Int, found: UInt8?, expected: String)
  /// The text has another encoding than UTF-8, or a byte order mark.
  case encoding(String)
  case duplicateKey(String, line: Int, column: Int)
  case tooManyValues(limit: Int)
}

extension JSONSyntaxError: CustomStringConvertible {
  /// One sentence without a full stop: what was found, where, and what was expected.
  package var description: String {
    switch self {
    case .malformed(let line, let column, let found, let expected):
      "line \(line), column \(column): expected \(expected), found \(Self.name(of: found))"
    case .encoding(let found):
      "the text starts as \(found), expected UTF-8 without a byte order mark"
    case .duplicateKey(let key, let line, let column):
      "line \(line), column \(column): the key \(key.jsonExcerpt) stands twice in one object"
    case .tooManyValues(let limit):
      "JSON values: \(limit + 1), more than the limit of \(limit)"
    }
  }

  private static func name(of byte: UInt8?) -> String {
    guard let byte else { return "the end" }
    if (0x21...0x7E).contains(byte) { return "'\(Character(Unicode.Scalar(byte)))'" }
    return "byte \(byte)"
  }
}
