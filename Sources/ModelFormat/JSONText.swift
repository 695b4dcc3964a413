extension String {
  /// The text as a JSON string, quotes included (RFC 8259 §7).
  package var jsonText: String {
    var text = "\""
    for scalar in unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case _ where !scalar.isPrintable:
        // None of them is beyond 16 bits.
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }

  /// The text on one line, with what a terminal would obey in place of showing it as escapes: `\u001b`.
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
  /// Whether a terminal shows it: no control character (C0, DEL, C1), and none that ends a line or turns the direction of
  /// what follows, so that text from a file could pass for something else.
  package var isPrintable: Bool {
    switch value {
    case 0..<0x20, 0x7F...0x9F, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069: false
    default: true
    }
  }
}

/// JSON that is written as text.
enum JSONText {
  /// Finite numbers as an array.
  static func array(_ numbers: [Float]) -> String {
    "[\(numbers.map { "\($0)" }.joined(separator: ", "))]"
  }
}
