/// Reads the fields of a Protocol Buffers message, one after another.
///
/// The few needed messages of onnx.proto are parsed by hand: SwiftProtobuf's errors have no offsets, its messages copy all
/// weights, and its 5,000 generated lines take minutes to compile.
struct WireReader {
  let bytes: [UInt8]
  private(set) var position: Int
  let end: Int

  init(_ bytes: [UInt8]) { self.init(bytes, 0..<bytes.count) }

  init(_ bytes: [UInt8], _ range: Range<Int>) {
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
  }

  enum Value: Equatable {
    case varint(UInt64)
    case fixed32(UInt32)
    case fixed64(UInt64)
    /// The range of a string, a message or packed numbers.
    case bytes(Range<Int>)
  }

  struct Field: Equatable {
    let number: Int
    let value: Value
    /// The field's offset.
    let offset: Int
  }

  /// The next field; nil at the end of the message.
  mutating func next() throws(ImportError) -> Field? {
    guard position < end else { return nil }
    let offset = position
    let tag = try varint()
    let number = Int(truncatingIfNeeded: tag >> 3)
    guard (1...(1 << 29)).contains(number) else {
      throw malformed("a field's number of \(tag >> 3)", at: offset)
    }
    switch tag & 7 {
    case 0: return Field(number: number, value: .varint(try varint()), offset: offset)
    case 1: return Field(number: number, value: .fixed64(try fixed(8)), offset: offset)
    case 2:
      let length = try varint()
      guard length <= UInt64(end - position) else {
        throw malformed("\(length) bytes where \(end - position) are left", at: offset)
      }
      let range = position..<position + Int(length)
      position = range.upperBound
      return Field(number: number, value: .bytes(range), offset: offset)
    case 5:
      return Field(
        number: number, value: .fixed32(UInt32(truncatingIfNeeded: try fixed(4))), offset: offset)
    default: throw malformed("wire type \(tag & 7)", at: offset)
    }
  }

  private mutating func varint() throws(ImportError) -> UInt64 {
    let start = position
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 70, by: 7) {
      guard position < end else { throw malformed("a number that is cut off", at: start) }
      let byte = bytes[position]
      position += 1
      if shift == 63, byte > 1 { break }
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte & 0x80 == 0 { return value }
    }
    throw malformed("a number of more than 64 bits", at: start)
  }

  private mutating func fixed(_ count: Int) throws(ImportError) -> UInt64 {
    guard end - position >= count else { throw malformed("a number that is cut off", at: position) }
    var value: UInt64 = 0
    for index in 0..<count { value |= UInt64(bytes[position + index]) << UInt64(8 * index) }
    position += count
    return value
  }

  func malformed(_ found: String, at offset: Int) -> ImportError {
    ImportError(
      file: "", place: "byte \(offset)",
      problem: "found \(found): the file is cut off, or no ONNX model",
      remedy: "check it with onnx.checker.check_model")
  }
}

extension WireReader {
  func string(_ field: Field) throws(ImportError) -> String {
    String(decoding: bytes[try range(field)], as: UTF8.self)
  }

  func range(_ field: Field) throws(ImportError) -> Range<Int> {
    guard case .bytes(let range) = field.value else { throw unexpected(field, "bytes") }
    return range
  }

  func message(_ field: Field) throws(ImportError) -> WireReader {
    WireReader(bytes, try range(field))
  }

  func integer(_ field: Field) throws(ImportError) -> Int {
    guard case .varint(let value) = field.value else { throw unexpected(field, "a whole number") }
    return Int(truncatingIfNeeded: value)
  }

  func float(_ field: Field) throws(ImportError) -> Double {
    guard case .fixed32(let word) = field.value else { throw unexpected(field, "a float") }
    return Double(Float(bitPattern: word))
  }

  /// Whole numbers, packed or single.
  func integers(_ field: Field, into numbers: inout [Int]) throws(ImportError) {
    guard case .bytes(let range) = field.value else {
      numbers.append(try integer(field))
      return
    }
    var reader = WireReader(bytes, range)
    while reader.position < reader.end {
      numbers.append(Int(truncatingIfNeeded: try reader.varint()))
    }
  }

  /// Floats or doubles, packed or single.
  func floats(_ field: Field, into numbers: inout [Double]) throws(ImportError) {
    switch field.value {
    case .fixed32(let word): numbers.append(Double(Float(bitPattern: word)))
    case .fixed64(let word): numbers.append(Double(bitPattern: word))
    case .varint: throw unexpected(field, "floats")
    case .bytes(let range):
      var reader = WireReader(bytes, range)
      while reader.position < reader.end {
        numbers.append(Double(Float(bitPattern: UInt32(truncatingIfNeeded: try reader.fixed(4)))))
      }
    }
  }

  /// Doubles, packed or single.
  func doubles(_ field: Field, into numbers: inout [Double]) throws(ImportError) {
    guard case .bytes(let range) = field.value else { return try floats(field, into: &numbers) }
    var reader = WireReader(bytes, range)
    while reader.position < reader.end { numbers.append(Double(bitPattern: try reader.fixed(8))) }
  }

  private func unexpected(_ field: Field, _ expected: String) -> ImportError {
    malformed("another type of field \(field.number), expected \(expected)", at: field.offset)
  }
}
