import JSON

/// The header of a safetensors file: the place of each tensor, checked against the file's size.
struct TensorHeader: Sendable {
  /// A tensor's type, shape and byte range in the file.
  struct Entry: Sendable, Equatable {
    let type: ElementType
    let shape: [Int]
    let bytes: Range<Int>
    /// The product of the shape.
    let elementCount: Int
  }

  let entries: [String: Entry]
  /// The tensors' names, sorted by their UTF-8 bytes.
  let names: [String]
  let metadata: [String: String]

  /// The size of the header's length, which comes first, little-endian.
  static let lengthBytes = 8
  private static let tensorKeys = ["dtype", "shape", "data_offsets"]

  init(_ file: Span<UInt8>) throws(ModelError) {
    let headerEnd = try TensorHeader.end(in: file)
    var text: [UInt8] = []
    text.reserveCapacity(headerEnd - TensorHeader.lengthBytes)
    for index in TensorHeader.lengthBytes..<headerEnd { text.append(file[index]) }
    let root = try JSONField(document: text, path: "header")

    var entries: [String: Entry] = [:]
    var metadata: [String: String] = [:]
    for (name, field) in try root.object().fields {
      if name == "__metadata__" {
        for (key, value) in try field.object().fields { metadata[key] = try value.string() }
      } else {
        entries[name] = try TensorHeader.entry(field, name: name, dataStart: headerEnd)
      }
    }
    try TensorHeader.checkCoverage(entries, of: headerEnd..<file.count)
    self.entries = entries
    names = entries.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    self.metadata = metadata
  }

  /// The offset at which the header ends and the data starts.
  private static func end(in file: Span<UInt8>) throws(ModelError) -> Int {
    guard file.count >= lengthBytes else {
      throw .truncated("the header's length", expected: lengthBytes, found: file.count)
    }
    var length: UInt64 = 0
    for index in 0..<lengthBytes { length |= UInt64(file[index]) << (8 * UInt64(index)) }
    guard length <= ModelLimits.headerBytes else {
      throw .headerTooLong(found: length, limit: ModelLimits.headerBytes)
    }
    guard Int(length) <= file.count - lengthBytes else {
      throw .truncated("the header", expected: Int(length), found: file.count - lengthBytes)
    }
    return lengthBytes + Int(length)
  }

  private static func entry(
    _ field: JSONField, name: String, dataStart: Int
  ) throws(ModelError) -> Entry {
    let object = try field.object(known: tensorKeys)
    let typeField = try object.required("dtype", expected: "an element type")
    guard let type = ElementType(rawValue: try typeField.string()) else {
      let known = ElementType.allCases.map(\.rawValue).joined(separator: ", ")
      throw typeField.unexpected("one of \(known)")
    }
    var shape: [Int] = []
    for dimension in try object.required("shape", expected: "an array of sizes").array() {
      shape.append(try dimension.count())
    }
    let offsetsField = try object.required("data_offsets", expected: "an array of 2 offsets")
    let offsets = try offsetsField.array()
    guard offsets.count == 2 else { throw offsetsField.unexpected("an array of 2 offsets") }
    let (begin, end) = (try offsets[0].count(), try offsets[1].count())
    guard begin <= end, end <= Int.max - dataStart else {
      throw .badOffsets(tensor: name, begin: begin, end: end)
    }
    let elementCount = try product(of: shape, tensor: name)
    let (bits, overflow) = elementCount.multipliedReportingOverflow(by: type.bits)
    guard !overflow, bits % 8 == 0 else {
      throw .impossibleShape(tensor: name, shape: shape, type: type)
    }
    guard bits / 8 == end - begin else {
      throw .sizeMismatch(
        tensor: name, shape: shape, type: type, expected: bits / 8, found: end - begin)
    }
    return Entry(
      type: type, shape: shape, bytes: dataStart + begin..<dataStart + end,
      elementCount: elementCount)
  }

  private static func product(of shape: [Int], tensor: String) throws(ModelError) -> Int {
    guard let count = ArrayShape.count(shape) else {
      throw .shapeOverflow(tensor: tensor, shape: shape)
    }
    return count
  }

  /// Checks that the tensors cover the data exactly, as in the reference implementation: no overlap, no gap, no rest.
  private static func checkCoverage(
    _ entries: [String: Entry], of data: Range<Int>
  ) throws(ModelError) {
    let inOrder = entries.sorted {
      ($0.value.bytes.lowerBound, $0.value.bytes.upperBound, $0.key)
        < ($1.value.bytes.lowerBound, $1.value.bytes.upperBound, $1.key)
    }
    var reached = data.lowerBound
    for (name, entry) in inOrder {
      guard entry.bytes.lowerBound == reached else {
        throw .notContiguous(
          tensor: name, expected: reached - data.lowerBound,
          found: entry.bytes.lowerBound - data.lowerBound)
      }
      guard entry.bytes.upperBound <= data.upperBound else {
        throw .truncated(
          "the data of tensor \(name.jsonExcerpt)",
          expected: entry.bytes.upperBound - data.lowerBound, found: data.count)
      }
      reached = entry.bytes.upperBound
    }
    guard reached == data.upperBound else {
      throw .unclaimedBytes(claimed: reached - data.lowerBound, found: data.count)
    }
  }
}
