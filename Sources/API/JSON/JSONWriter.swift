/// Writes JSON, or other text, into one byte buffer.
struct JSONWriter: Sendable {
  private(set) var bytes: [UInt8] = []

  /// Hands over what was written, and begins anew.
  mutating func takeBytes() -> [UInt8] {
    defer { bytes = [] }
    return bytes
  }

  mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

  /// Appends text that is JSON already.
  mutating func raw(_ text: StaticString) {
    text.withUTF8Buffer { unsafe bytes.append(contentsOf: $0) }
  }

  mutating func raw(_ text: [UInt8]) { bytes.append(contentsOf: text) }

  mutating func byte(_ character: Unicode.Scalar) {
    bytes.append(UInt8(truncatingIfNeeded: character.value))
  }

  /// What a byte of a string becomes at the most.
  static let maxEscape = 6

  /// Appends a string with its quotes, escaped by RFC 8259 §7.
  mutating func string(_ text: String) {
    byte("\"")
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(byte)
      case 0x0A: raw(#"\n"#)
      case 0x0D: raw(#"\r"#)
      case 0x09: raw(#"\t"#)
      case 0..<0x20:
        raw(#"\u00"#)
        bytes.append(Self.hexadecimal[Int(byte >> 4)])
        bytes.append(Self.hexadecimal[Int(byte & 15)])
      default: bytes.append(byte)
      }
    }
    byte("\"")
  }

  /// Appends a string, or null.
  mutating func optional(_ text: String?) {
    if let text { string(text) } else { raw("null") }
  }

  mutating func integer(_ value: some BinaryInteger) {
    bytes.append(contentsOf: String(value).utf8)
  }

  mutating func boolean(_ value: Bool) { value ? raw("true") : raw("false") }

  /// Appends the shortest text that reads back as the same float; `value` must be finite.
  ///
  /// That is what the standard library's `description` is, always with a fraction or an exponent. It takes 15
  /// bytes at most, which a `String` holds without allocating.
  mutating func float(_ value: Float) {
    precondition(value.isFinite, "JSON has no way to write \(value)")
    bytes.append(contentsOf: value.description.utf8)
  }

  mutating func floats(_ values: ArraySlice<Float>) {
    array(values) { writer, value in writer.float(value) }
  }

  /// Appends an array, each element by `write`.
  mutating func array<Elements: Collection, Failure: Error>(
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

  private static let hexadecimal = Array("0123456789abcdef".utf8)
}
