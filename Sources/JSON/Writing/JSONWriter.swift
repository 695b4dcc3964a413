import CSimdJSON

/// Writes JSON, or other text, into one byte buffer.
package struct JSONWriter: Sendable {
  package private(set) var bytes: [UInt8] = []

  package init() {}

  /// Returns what was written and empties the writer.
  package mutating func takeBytes() -> [UInt8] {
    defer { bytes = [] }
    return bytes
  }

  package mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

  /// Appends text without escaping: it has to be JSON already.
  package mutating func raw(_ text: StaticString) {
    text.withUTF8Buffer { unsafe bytes.append(contentsOf: $0) }
  }

  package mutating func raw(_ text: [UInt8]) { bytes.append(contentsOf: text) }

  package mutating func byte(_ character: Unicode.Scalar) {
    bytes.append(UInt8(truncatingIfNeeded: character.value))
  }

  /// The most bytes that one byte of a string becomes when it is escaped (`\u001f`).
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
  /// That is the standard library's `description`, always with a fraction or an exponent, of at most 15 bytes.
  package mutating func float(_ value: Float) {
    precondition(value.isFinite, "JSON has no way to write \(value)")
    unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(CSJ_MAX_FLOAT_BYTES)) {
      text in
      // SAFETY: there is room for any float's text, of which the bytes written are read.
      unsafe bytes.append(
        contentsOf: UnsafeRawBufferPointer(text).prefix(csj_write_float(value, text.baseAddress!)))
    }
  }

  package mutating func floats(_ values: ArraySlice<Float>) {
    array(values) { writer, value in writer.float(value) }
  }

  /// Appends the elements in `range` of an array of numbers or, with `rowSize`, of an array of rows of that many
  /// numbers. Calls for consecutive ranges write the whole array: each call writes the brackets and commas before its
  /// elements, and the last call the closing brackets too.
  package mutating func numbers(_ values: [Float], in range: Range<Int>, rowSize: Int?) {
    elements(count: values.count, in: range, rowSize: rowSize) { $0.float(values[$1]) }
  }

  /// The same for an array of `count` elements; `write` appends the element at an index.
  package mutating func elements(
    count: Int, in range: Range<Int>, rowSize: Int?, _ write: (inout JSONWriter, Int) -> Void
  ) {
    if range.lowerBound == 0 {
      byte("[")
      if rowSize != nil, count > 0 { byte("[") }
    }
    // Counts the columns up: a division for each number would cost more than writing the comma.
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

  /// Appends an array; `write` appends one element.
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
