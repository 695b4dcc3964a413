/// What Host and the authority of a target hold: `uri-host [":" port]` (RFC 9110 §7.2).
package enum Authority {
  /// Whether `text` is a name or an address, then maybe a port; both may be empty by the grammar.
  ///
  /// An address in brackets is known by its digits and colons only, and none but IPv6 is defined.
  package static func isValid(_ text: Span<UInt8>) -> Bool {
    guard let end = hostEnd(text) else { return false }
    guard end < text.count else { return true }
    guard text[end] == ASCII.colon else { return false }
    for index in (end + 1)..<text.count where text[index] &- ASCII.zero >= 10 { return false }
    return true
  }

  /// Where the host ends; nil where there is no valid one.
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

  /// Where a registered name (RFC 3986 §3.2.2) ends.
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
