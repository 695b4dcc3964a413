/// Writes JSON, or other text, into one byte buffer.
package struct JSONWriter: Sendable {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  /// Hands over what was written, and begins anew.
  package mutating func takeBytes() -> [UInt8] {
    defer { bytes = [] }
    return bytes
  }

  package mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

  /// Appends text that is JSON already.
  package mutating func raw(_ text: StaticString) {
    text.withUTF8Buffer { unsafe bytes.append(contentsOf: $0) }
  }

  package mutating func raw(_ text: [UInt8]) { bytes.append(contentsOf: text) }

  package mutating func byte(_ character: Unicode.Scalar) {
    bytes.append(UInt8(truncatingIfNeeded: character.value))
  }

  /// What a byte of a string becomes at the most.
  package static let maxEscape = 6

  /// Appends a string with its quotes, escaped by RFC 8259 §7.
  package mutating func string(_ text: String) {
    byte("\"")
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0..<0x20:
        JSONEscape.append(UInt16(byte), to: &bytes)
      default: bytes.append(byte)
      }
    }
    byte("\"")
  }

  /// Appends a string, or null.
  package mutating func optional(_ text: String?) {
    if let text { string(text) } else { raw("null") }
  }

  package mutating func integer(_ value: some BinaryInteger) {
    bytes.append(contentsOf: String(value).utf8)
  }

  package mutating func boolean(_ value: Bool) { value ? raw("true") : raw("false") }

  /// Appends the shortest text that reads back as the same float; `value` must be finite.
  ///
  /// That is what the standard library's `description` is, always with a fraction or an exponent. It takes 15
  /// bytes at most, which a `String` holds without allocating.
  package mutating func float(_ value: Float) {
    precondition(value.isFinite, "JSON has no way to write \(value)")
    bytes.append(contentsOf: value.description.utf8)
  }

  package mutating func floats(_ values: ArraySlice<Float>) {
    array(values) { writer, value in writer.float(value) }
  }

  /// Appends what stands in `range` of an array of numbers or, with a row size, of an array of rows of so many: with the
  /// brackets and commas that stand before them and, behind the last, the end.
  package mutating func numbers(_ values: [Float], in range: Range<Int>, rowSize: Int?) {
    elements(count: values.count, in: range, rowSize: rowSize) { $0.float(values[$1]) }
  }

  /// Likewise of an array of `count` elements, each by `write`.
  package mutating func elements(
    count: Int, in range: Range<Int>, rowSize: Int?, _ write: (inout JSONWriter, Int) -> Void
  ) {
    if range.lowerBound == 0 {
      byte("[")
      if rowSize != nil, count > 0 { byte("[") }
    }
    // Counted, as a division for each number would cost more than the comma.
    var column = rowSize.map { range.lowerBound % $0 } ?? 0
    for index in range {
      if let rowSize {
        if column == 0, index > 0 {
          raw("],[")
        } else if index > 0 {
          byte(",")
        }
        column += 1
        if column == rowSize { column = 0 }
      } else if index > 0 {
        byte(",")
      }
      write(&self, index)
    }
    if range.upperBound == count {
      if rowSize != nil, count > 0 { byte("]") }
      byte("]")
    }
  }

  /// Appends an array, each element by `write`.
  package mutating func array<Elements: Collection, Failure: Error>(
    _ elements: Elements, _ write: (inout JSONWriter, Elements.Element) throws(Failure) -> Void
  ) throws(Failure) {
    byte("[")
    var first = true
    for element in elements {
      if !first { byte(",") }
      first = false
      try write(&self, element)
    }
    byte("]")
  }
}
