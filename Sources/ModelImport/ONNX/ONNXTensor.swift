/// A `TensorProto` whose fields are being parsed.
struct ONNXTensor {
  let bytes: [UInt8]
  let external: ExternalData
  /// The tensor's offset in the file.
  let offset: Int
  private(set) var name = ""
  private var shape: [Int] = []
  private var type = 0
  private var raw: Range<Int>?
  /// The elements, if they are numeric fields of the message.
  private var numbers: [Double] = []
  private var integers: [Int] = []
  private var location: [String: String] = [:]
  private var isExternal = false

  init(bytes: [UInt8], external: ExternalData, offset: Int) {
    self.bytes = bytes
    self.external = external
    self.offset = offset
  }

  mutating func take(_ field: WireReader.Field, _ reader: inout WireReader) throws(ImportError) {
    switch field.number {
    case 1: try reader.integers(field, into: &shape)
    case 2: type = try reader.integer(field)
    case 4: try reader.floats(field, into: &numbers)
    case 5, 7, 11: try reader.integers(field, into: &integers)
    case 8: name = try reader.string(field)
    case 9: raw = try reader.range(field)
    case 10: try reader.doubles(field, into: &numbers)
    case 13:
      var entry = try reader.message(field)
      var (key, value) = ("", "")
      while let field = try entry.next() {
        if field.number == 1 { key = try entry.string(field) }
        if field.number == 2 { value = try entry.string(field) }
      }
      location[key] = value
    case 14: isExternal = try reader.integer(field) == 1
    default: break
    }
  }

  private func refusal(_ found: String, _ remedy: String? = nil) -> ImportError {
    ImportError(
      file: "", place: "tensor \"\(name.prefix(200))\" at byte \(offset)",
      problem: "found \(found)",
      remedy: remedy)
  }

  var limits: [Int]? { ONNXElementType(rawValue: type)?.limits }

  var isHalf: Bool {
    [.float16, .bfloat16].contains(ONNXElementType(rawValue: type))
  }

  /// The tensor's elements, read on demand.
  func constant() throws(ImportError) -> SourceConstant {
    guard let element = ONNXElementType(rawValue: type) else {
      if type == 8 {
        return SourceConstant(shape: shape, kind: .integer) { [self] () throws(ImportError) in
          throw refusal("texts, expected numbers")
        }
      }
      throw refusal("elements of type \(type), expected numbers of 8 to 64 bits")
    }
    // Where a size is 0, no bytes account for the others.
    let limit = shape.contains(0) ? SourceTensor.maxElements : 1 << 40
    guard let count = RowMajor.count(shape, limit: limit) else {
      throw refusal("the shape \(shape)")
    }
    let expected = count * element.size
    if isExternal {
      let place = try external.place(location, expected: expected, tensor: name)
      return SourceConstant(shape: shape, kind: element.kind) {
        [external, name] () throws(ImportError) in
        Self.numbers(try external.bytes(place, tensor: name), 0..<expected, element)
      }
    }
    if let raw {
      guard raw.count == expected else {
        throw refusal("\(raw.count) bytes, expected \(expected) for \(shape)")
      }
      return SourceConstant(shape: shape, kind: element.kind) { [bytes] () throws(ImportError) in
        Self.numbers(bytes, raw, element)
      }
    }
    var elements = numbers
    if elements.isEmpty {
      let isHalf = element == .float16 || element == .bfloat16
      elements = integers.map {
        isHalf
          ? element.number(UInt64(UInt16(truncatingIfNeeded: $0)))
          : element == .uint64 ? Double(UInt64(bitPattern: Int64($0))) : Double($0)
      }
    }
    guard elements.count == count else {
      throw refusal("\(elements.count) elements, expected \(count) for \(shape)")
    }
    return SourceConstant(SourceTensor(shape: shape, kind: element.kind, elements: elements))
  }

  private static func numbers(
    _ bytes: [UInt8], _ range: Range<Int>, _ type: ONNXElementType
  ) -> [Double] {
    let size = type.size
    var numbers: [Double] = []
    numbers.reserveCapacity(range.count / size)
    for start in stride(from: range.lowerBound, to: range.upperBound, by: size) {
      var word: UInt64 = 0
      for index in 0..<size { word |= UInt64(bytes[start + index]) << UInt64(8 * index) }
      numbers.append(type.number(word))
    }
    return numbers
  }
}
