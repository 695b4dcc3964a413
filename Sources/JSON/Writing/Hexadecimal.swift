extension UInt8 {
  /// The byte's two hexadecimal digits: `0f`, or `0F` in upper case.
  package func hexadecimal(uppercase: Bool = false) -> String {
    String(decoding: hexadecimalDigits(uppercase: uppercase), as: UTF8.self)
  }

  /// The same digits as ASCII bytes.
  package func hexadecimalDigits(uppercase: Bool = false) -> [UInt8] {
    [self >> 4, self & 15].map { digit in
      digit < 10
        ? UInt8(ascii: "0") + digit : UInt8(ascii: uppercase ? "A" : "a") + digit - 10
    }
  }
}

extension UInt8 {
  /// The value of this ASCII hexadecimal digit, of either case; nil for any other byte.
  package var hexadecimalValue: UInt8? {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

extension Sequence<UInt8> {
  /// The hexadecimal digits of all the bytes, with `separator` between one byte and the next.
  package func hexadecimal(separator: String = "", uppercase: Bool = false) -> String {
    map { $0.hexadecimal(uppercase: uppercase) }.joined(separator: separator)
  }
}
