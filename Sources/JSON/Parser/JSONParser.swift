/// Parses one JSON document (RFC 8259) strictly: no duplicate keys, no lone surrogates, only white space after the
/// document.
package struct JSONParser {
  /// The most values in one document, all levels together; at some 50 bytes each they take 50 MB.
  package static let maxValues = 1_000_000
  /// The most levels of arrays and objects: the parser recurses at each level.
  package static let maxDepth = 32

  private let bytes: [UInt8]
  private var index = 0
  private var depth = 0
  private var valueCount = 0

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The document's value. Errors carry the line and column (in bytes, from 1).
  package static func parse(_ bytes: [UInt8]) throws(JSONSyntaxError) -> JSONValue {
    if let found = otherEncoding(of: bytes) { throw .encoding(found) }
    var parser = JSONParser(bytes)
    let value = try parser.parseValue()
    parser.skipSpace()
    guard parser.index == bytes.count else { throw parser.failure(expected: "the end") }
    return value
  }

  /// The name of the text's encoding if its first bytes show that it is not plain UTF-8: by a byte order mark, or by
  /// the zero bytes that UTF-16 and UTF-32 have for ASCII.
  private static func otherEncoding(of bytes: [UInt8]) -> String? {
    let marks: [(mark: [UInt8], name: String)] = [
      ([0xEF, 0xBB, 0xBF], "UTF-8 with a byte order mark"),
      ([0xFF, 0xFE, 0, 0], "UTF-32"), ([0, 0, 0xFE, 0xFF], "UTF-32"),
      ([0xFF, 0xFE], "UTF-16"), ([0xFE, 0xFF], "UTF-16"),
    ]
    if let found = marks.first(where: { bytes.starts(with: $0.mark) }) { return found.name }
    guard bytes.count >= 4, bytes[0] == 0 || bytes[1] == 0 else { return nil }
    return bytes[..<4].count { $0 == 0 } == 3 ? "UTF-32" : "UTF-16"
  }

  private mutating func parseValue() throws(JSONSyntaxError) -> JSONValue {
    skipSpace()
    valueCount += 1
    guard valueCount <= Self.maxValues else { throw .tooManyValues(limit: Self.maxValues) }
    switch peek() {
    case UInt8(ascii: "{"): return .object(try parseObject())
    case UInt8(ascii: "["): return .array(try parseArray())
    case UInt8(ascii: "\""): return .string(try parseString())
    case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
    case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
    case UInt8(ascii: "n"): return try parseWord("null", .null)
    case let byte? where byte == UInt8(ascii: "-") || isDigit(byte): return try parseNumber()
    default: throw failure(expected: "a value")
    }
  }

  private mutating func parseObject() throws(JSONSyntaxError) -> [JSONValue.Member] {
    try descend()
    var members: [JSONValue.Member] = []
    var keys: Set<String> = []
    skipSpace()
    if !skip(UInt8(ascii: "}")) {
      repeat {
        skipSpace()
        let start = index
        guard peek() == UInt8(ascii: "\"") else { throw failure(expected: "a key in quotes") }
        let key = try parseString()
        guard keys.insert(key).inserted else {
          let (line, column) = position(of: start)
          throw .duplicateKey(key, line: line, column: column)
        }
        skipSpace()
        guard skip(UInt8(ascii: ":")) else { throw failure(expected: "':'") }
        members.append(JSONValue.Member(key: key, value: try parseValue()))
        skipSpace()
      } while skip(UInt8(ascii: ","))
      guard skip(UInt8(ascii: "}")) else { throw failure(expected: "',' or '}'") }
    }
    depth -= 1
    return members
  }

  private mutating func parseArray() throws(JSONSyntaxError) -> [JSONValue] {
    try descend()
    var elements: [JSONValue] = []
    skipSpace()
    if !skip(UInt8(ascii: "]")) {
      repeat {
        elements.append(try parseValue())
        skipSpace()
      } while skip(UInt8(ascii: ","))
      guard skip(UInt8(ascii: "]")) else { throw failure(expected: "',' or ']'") }
    }
    depth -= 1
    return elements
  }

  /// Skips the bracket that opens a level, and checks the depth.
  private mutating func descend() throws(JSONSyntaxError) {
    depth += 1
    guard depth <= Self.maxDepth else {
      throw failure(expected: "at most \(Self.maxDepth) levels of brackets")
    }
    index += 1
  }

  private mutating func parseWord(
    _ word: StaticString, _ value: JSONValue
  ) throws(JSONSyntaxError) -> JSONValue {
    for byte in "\(word)".utf8 {
      guard skip(byte) else { throw failure(expected: "\(word)") }
    }
    return value
  }

  /// Parses a number. RFC 8259 §6 allows no leading zero, no point without digits on both sides, and no plus sign
  /// before the number.
  private mutating func parseNumber() throws(JSONSyntaxError) -> JSONValue {
    let start = index
    _ = skip(UInt8(ascii: "-"))
    if !skip(UInt8(ascii: "0")) { try skipDigits() }
    if skip(UInt8(ascii: ".")) { try skipDigits() }
    if skip(UInt8(ascii: "e")) || skip(UInt8(ascii: "E")) {
      if !skip(UInt8(ascii: "+")) { _ = skip(UInt8(ascii: "-")) }
      try skipDigits()
    }
    return .number(String(decoding: bytes[start..<index], as: UTF8.self))
  }

  private mutating func skipDigits() throws(JSONSyntaxError) {
    guard let byte = peek(), isDigit(byte) else { throw failure(expected: "a digit") }
    while let byte = peek(), isDigit(byte) { index += 1 }
  }

  private func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  private mutating func parseString() throws(JSONSyntaxError) -> String {
    let start = index
    index += 1
    var text: [UInt8] = []
    while true {
      let runStart = index
      while let byte = peek(), byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20
      {
        index += 1
      }
      text += bytes[runStart..<index]
      if skip(UInt8(ascii: "\"")) { break }
      guard skip(UInt8(ascii: "\\")) else {
        throw failure(expected: "a closing quote (control characters are written as escapes)")
      }
      text += String(Character(try parseEscape())).utf8
    }
    guard let string = String(validating: text, as: UTF8.self) else {
      index = start
      throw failure(expected: "a string in valid UTF-8")
    }
    return string
  }

  private mutating func parseEscape() throws(JSONSyntaxError) -> Unicode.Scalar {
    guard let byte = peek() else { throw failure(expected: "an escape") }
    let scalar: Unicode.Scalar
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): scalar = Unicode.Scalar(byte)
    case UInt8(ascii: "b"): scalar = "\u{8}"
    case UInt8(ascii: "f"): scalar = "\u{c}"
    case UInt8(ascii: "n"): scalar = "\n"
    case UInt8(ascii: "r"): scalar = "\r"
    case UInt8(ascii: "t"): scalar = "\t"
    case UInt8(ascii: "u"): return try parseUnicodeEscape()
    default: throw failure(expected: "one of \" \\ / b f n r t u after a backslash")
    }
    index += 1
    return scalar
  }

  /// Parses `uXXXX`, or two such escapes if the first is a high surrogate.
  private mutating func parseUnicodeEscape() throws(JSONSyntaxError) -> Unicode.Scalar {
    let start = index
    var code = try parseHexDigits()
    if (0xD800..<0xDC00).contains(code), skip(UInt8(ascii: "\\")) {
      let low = try parseHexDigits()
      if (0xDC00..<0xE000).contains(low) {
        code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
      }
    }
    guard let scalar = Unicode.Scalar(code) else {
      index = start
      throw failure(expected: "a whole surrogate pair")
    }
    return scalar
  }

  private mutating func parseHexDigits() throws(JSONSyntaxError) -> UInt32 {
    guard skip(UInt8(ascii: "u")) else { throw failure(expected: "\\u") }
    var code: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = peek(), let digit = byte.hexadecimalValue else {
        throw failure(expected: "a hexadecimal digit")
      }
      code = code << 4 | UInt32(digit)
      index += 1
    }
    return code
  }

  private mutating func skipSpace() {
    while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
      index += 1
    }
  }

  private mutating func skip(_ byte: UInt8) -> Bool {
    guard peek() == byte else { return false }
    index += 1
    return true
  }

  private func peek() -> UInt8? { index < bytes.count ? bytes[index] : nil }

  private func failure(expected: String) -> JSONSyntaxError {
    let (line, column) = position(of: index)
    return .malformed(line: line, column: column, found: peek(), expected: expected)
  }

  private func position(of offset: Int) -> (line: Int, column: Int) {
    let before = bytes[..<offset]
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return (line, offset - lineStart + 1)
  }
}
