/// The value of a Host field, or the authority of a request target: `uri-host [":" port]` (RFC 9110 §7.2).
package enum Authority {
  /// `bytes` as a string, if they are valid.
  package static func text(_ bytes: Span<UInt8>) -> String? {
    isValid(bytes) ? String(ascii: bytes) : nil
  }

  /// Whether `text` is a host name or an address, with an optional port. The grammar allows the host to be empty; that is
  /// refused, as nobody means it.
  ///
  /// Of an address in brackets only the characters are checked (hexadecimal digits, dots, at least two colons); no kind
  /// but IPv6 is defined.
  static func isValid(_ text: Span<UInt8>) -> Bool {
    guard let end = hostEnd(text), end > 0 else { return false }
    guard end < text.count else { return true }
    guard text[end] == ASCII.colon else { return false }
    for index in (end + 1)..<text.count where text[index] &- ASCII.zero >= 10 { return false }
    return true
  }

  /// The index behind the host; nil where the host is invalid.
  private static func hostEnd(_ text: Span<UInt8>) -> Int? {
    guard text.count > 0, text[0] == UInt8(ascii: "[") else { return nameEnd(text) }
    var colonCount = 0
    for index in 1..<text.count {
      switch text[index] {
      case ASCII.colon: colonCount += 1
      case UInt8(ascii: "."): break
      case UInt8(ascii: "]"): return colonCount >= 2 ? index + 1 : nil
      case let byte where !isHexDigit(byte): return nil
      default: break
      }
    }
    return nil
  }

  /// The index behind a registered name (RFC 3986 §3.2.2); nil where the name is invalid.
  private static func nameEnd(_ text: Span<UInt8>) -> Int? {
    var index = 0
    while index < text.count, text[index] != ASCII.colon {
      switch text[index] {
      case UInt8(ascii: "%"):
        guard index + 2 < text.count, isHexDigit(text[index + 1]), isHexDigit(text[index + 2])
        else { return nil }
        index += 3
      case let byte where ByteSet.name.contains(byte): index += 1
      default: return nil
      }
    }
    return index
  }

  private static func isHexDigit(_ byte: UInt8) -> Bool {
    byte &- ASCII.zero < 10 || ASCII.lowercase(byte) &- UInt8(ascii: "a") < 6
  }
}
