/// The strings of protocol 0, which are written as Python literals.
enum PickleText {
  /// The bytes of a `repr` with quotes and escapes; nil if malformed.
  static func unquoted(_ line: ArraySlice<UInt8>) -> [UInt8]? {
    guard line.count >= 2, let quote = line.first, quote == line.last,
      quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"")
    else { return nil }
    var result: [UInt8] = []
    var rest = line.dropFirst().dropLast()
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "\\") else {
        result.append(byte)
        continue
      }
      switch rest.popFirst() {
      case UInt8(ascii: "n"): result.append(0x0A)
      case UInt8(ascii: "r"): result.append(0x0D)
      case UInt8(ascii: "t"): result.append(0x09)
      case UInt8(ascii: "x"):
        guard let code = number(rest.prefix(2), digits: 2) else { return nil }
        result.append(UInt8(code))
        rest = rest.dropFirst(2)
      case .some(let other): result.append(other)
      case nil: return nil
      }
    }
    return result
  }

  /// Decodes Python's raw-unicode-escape (Latin-1 with \u and \U) to UTF-8; nil if an escape is malformed.
  static func unescaped(_ line: ArraySlice<UInt8>) -> [UInt8]? {
    var result: [UInt8] = []
    var rest = line
    while let byte = rest.popFirst() {
      var scalar = UInt32(byte)
      if byte == UInt8(ascii: "\\"), let kind = rest.first,
        kind == UInt8(ascii: "u") || kind == UInt8(ascii: "U")
      {
        let digits = kind == UInt8(ascii: "u") ? 4 : 8
        guard let code = number(rest.dropFirst().prefix(digits), digits: digits) else { return nil }
        rest = rest.dropFirst(1 + digits)
        scalar = code
      }
      result += String(Unicode.Scalar(scalar) ?? "\u{FFFD}").utf8
    }
    return result
  }

  /// Encodes the UTF-8 `text` as Latin-1; nil if a character is not in Latin-1.
  static func latin1(_ text: [UInt8]) -> [UInt8]? {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      guard let byte = UInt8(exactly: scalar.value) else { return nil }
      result.append(byte)
    }
    return result
  }

  private static func number(_ text: ArraySlice<UInt8>, digits: Int) -> UInt32? {
    guard text.count == digits, text.first != UInt8(ascii: "+"), text.first != UInt8(ascii: "-")
    else { return nil }
    return UInt32(String(decoding: text, as: UTF8.self), radix: 16)
  }
}
