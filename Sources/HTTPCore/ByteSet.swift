/// A set of ASCII bytes, held in two words so that a lookup is a shift and no table is loaded.
package struct ByteSet: Sendable {
  let low: UInt64
  let high: UInt64

  /// Whether `byte` is in the set; bytes from 0x80 on never are.
  @inline(__always)
  package func contains(_ byte: UInt8) -> Bool {
    let word = byte < 64 ? low : high
    return byte < 128 && (word >> UInt64(byte & 63)) & 1 == 1
  }

  /// `tchar` of RFC 9110 §5.6.2: letters, digits and ``!#$%&'*+-.^_`|~``.
  package static var token: ByteSet {
    ByteSet(low: 0x03FF_6CFA_0000_0000, high: 0x57FF_FFFF_C7FF_FFFE)
  }

  /// The bytes that RFC 3986 allows in a path and query: visible ASCII except ``"#<>\^`{|}``.
  package static var target: ByteSet {
    ByteSet(low: 0xAFFF_FFF2_0000_0000, high: 0x47FF_FFFE_AFFF_FFFF)
  }

  /// The bytes that a registered name may hold unescaped (RFC 3986 §3.2.2): unreserved and sub-delims.
  static var name: ByteSet {
    ByteSet(low: 0x2BFF_7FD2_0000_0000, high: 0x47FF_FFFE_87FF_FFFE)
  }
}

/// The bytes that the grammar of HTTP/1 names.
enum ASCII {
  static let tab: UInt8 = 0x09
  static let lineFeed: UInt8 = 0x0A
  static let carriageReturn: UInt8 = 0x0D
  static let space: UInt8 = 0x20
  static let quote: UInt8 = 0x22
  static let comma: UInt8 = 0x2C
  static let slash: UInt8 = 0x2F
  static let zero: UInt8 = 0x30
  static let colon: UInt8 = 0x3A
  static let semicolon: UInt8 = 0x3B
  static let questionMark: UInt8 = 0x3F
  static let delete: UInt8 = 0x7F

  /// `byte` in lower case, when it is an ASCII letter.
  @inline(__always)
  static func lowercase(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
  }

  /// Whether a field value may hold `byte` (RFC 9110 §5.5): visible, space, tab or obs-text.
  @inline(__always)
  static func isFieldValue(_ byte: UInt8) -> Bool {
    byte >= space ? byte != delete : byte == tab
  }
}
