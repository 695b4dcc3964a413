extension UInt8 {
  /// Its two hexadecimal digits: `0f`, or `0F` in upper case.
  package func hexadecimal(uppercase: Bool = false) -> String {
    String(decoding: hexadecimalDigits(uppercase: uppercase), as: UTF8.self)
  }

  /// The same as ASCII.
  package func hexadecimalDigits(uppercase: Bool = false) -> [UInt8] {
    [self >> 4, self & 15].map { digit in
      digit < 10
        ? UInt8(ascii: "0") + digit : UInt8(ascii: uppercase ? "A" : "a") + digit - 10
    }
  }
}

extension Sequence<UInt8> {
  /// The hexadecimal digits of all its bytes, with `separator` between two of them.
  package func hexadecimal(separator: String = "", uppercase: Bool = false) -> String {
    map { $0.hexadecimal(uppercase: uppercase) }.joined(separator: separator)
  }
}
