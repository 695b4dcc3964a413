/// Escapes in JSON strings (RFC 8259 §7). All JSON that this server writes is escaped here.
enum JSONEscape {
  /// Appends the escape of a UTF-16 code unit: `\"`, `\\`, `\n`, `\r`, `\t`, or `\u001f` for any other.
  static func append(_ unit: UInt16, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\\"))
    switch unit {
    case 0x22, 0x5C: bytes.append(UInt8(unit))
    case 0x0A: bytes.append(UInt8(ascii: "n"))
    case 0x0D: bytes.append(UInt8(ascii: "r"))
    case 0x09: bytes.append(UInt8(ascii: "t"))
    default:
      bytes.append(UInt8(ascii: "u"))
      for byte in [UInt8(unit >> 8), UInt8(unit & 0xFF)] { bytes += byte.hexadecimalDigits() }
    }
  }
}

extension String {
  /// The text as a JSON string with its quotes. Characters that control a terminal are escaped too.
  package var jsonText: String {
    var bytes = [UInt8(ascii: "\"")]
    for scalar in unicodeScalars {
      if scalar != "\"", scalar != "\\", scalar.isPrintable {
        bytes += String(scalar).utf8
      } else {
        // `isPrintable` is false only for scalars of at most 16 bits.
        JSONEscape.append(UInt16(scalar.value), to: &bytes)
      }
    }
    bytes.append(UInt8(ascii: "\""))
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The text as a JSON string for a message: beyond 80 characters it is cut and ends in `…`.
  package var jsonExcerpt: String {
    let short = unicodeScalars.prefix(81)
    guard short.count > 80 else { return jsonText }
    return (String(UnicodeScalarView(short.dropLast())) + "…").jsonText
  }

  /// The text on one line, with characters that control a terminal escaped (`\u001b`).
  package var printable: String {
    unicodeScalars.allSatisfy(\.isPrintable)
      ? self
      : unicodeScalars.reduce(into: "") { text, scalar in
        text +=
          scalar.isPrintable
          ? String(scalar) : String(String(scalar).jsonText.dropFirst().dropLast())
      }
  }
}

extension Unicode.Scalar {
  /// Whether a terminal shows the character as it is. False for control characters (C0, DEL, C1), line ends and marks of
  /// text direction: with these, text from a file could pass for other output.
  package var isPrintable: Bool {
    switch value {
    case 0..<0x20, 0x7F...0x9F, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: false
    default: true
    }
  }
}

/// JSON as strings, for short pieces; `JSONWriter` writes bytes.
package enum JSONText {
  /// An array of finite numbers.
  package static func array(_ numbers: [Int]) -> String {
    "[\(numbers.map(String.init).joined(separator: ", "))]"
  }

  package static func array(_ numbers: [Float]) -> String {
    "[\(numbers.map { "\($0)" }.joined(separator: ", "))]"
  }
}
