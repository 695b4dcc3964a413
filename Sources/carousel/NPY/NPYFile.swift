/// An array as NumPy saves it, versions 1 to 3 (NumPy Enhancement Proposal 1).
struct NPYFile {
  let header: NPYHeader
  private let data: ArraySlice<UInt8>

  /// The header is text that NumPy keeps far below this.
  static let maxHeaderBytes = 1 << 16

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Whether `bytes` begin as a .npy file does.
  static func isNPY(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic) }

  /// Takes a file's bytes, which must be header and data and nothing more.
  init(_ bytes: [UInt8]) throws(CarouselError) {
    guard Self.isNPY(bytes) else { throw .badNPY(offset: 0, problem: .notNPY) }
    let prefix = 12  // magic, version, and version 2's length; no file is shorter
    guard bytes.count >= prefix else {
      throw .badNPY(
        offset: bytes.count, problem: .truncated(expected: prefix, found: bytes.count))
    }
    let lengthBytes: Int
    switch (bytes[6], bytes[7]) {
    case (1, 0): lengthBytes = 2
    case (2, 0), (3, 0): lengthBytes = 4
    case (let major, let minor):
      throw .badNPY(offset: 6, problem: .version(major: major, minor: minor))
    }
    let start = 8 + lengthBytes
    let length = (8..<start).reversed().reduce(0) { $0 << 8 | Int(bytes[$1]) }
    guard length <= Self.maxHeaderBytes else {
      throw .badNPY(
        offset: 8, problem: .headerTooLong(bytes: length, limit: Self.maxHeaderBytes))
    }
    guard bytes.count - start >= length else {
      throw .badNPY(
        offset: bytes.count, problem: .truncated(expected: start + length, found: bytes.count))
    }
    header = try NPYHeader(bytes[start..<start + length], offset: start)
    data = bytes[(start + length)...]
    guard let counts = header.counts else { throw .badNPY(offset: start, problem: .shapeTooLarge) }
    guard data.count >= counts.bytes else {
      throw .badNPY(
        offset: bytes.count,
        problem: .truncated(expected: start + length + counts.bytes, found: bytes.count))
    }
    guard data.count == counts.bytes else {
      throw .badNPY(
        offset: data.startIndex + counts.bytes,
        problem: .trailingBytes(data.count - counts.bytes))
    }
  }

  /// The array as nested JSON arrays, each float the shortest text that reads back the same.
  ///
  /// An array without axes gives one number.
  func json() throws(CarouselError) -> String {
    var text = ""
    var element = 0
    try append(axis: 0, element: &element, to: &text)
    return text
  }

  private func append(
    axis: Int, element: inout Int, to text: inout String
  ) throws(CarouselError) {
    guard axis < header.shape.count else {
      text += try number(element)
      element += 1
      return
    }
    text += "["
    for index in 0..<header.shape[axis] {
      if index > 0 { text += "," }
      try append(axis: axis + 1, element: &element, to: &text)
    }
    text += "]"
  }

  private func number(_ element: Int) throws(CarouselError) -> String {
    let size = header.elementType.byteCount
    let start = data.startIndex + element * size
    let bits = (start..<start + size).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(data[$1]) }
    let value: Double
    switch header.elementType {
    case .int32: return String(Int32(truncatingIfNeeded: bits))
    case .int64: return String(Int64(bitPattern: bits))
    case .float16: value = Double(Float16(bitPattern: UInt16(bits)))
    case .float32:
      let float = Float(bitPattern: UInt32(bits))
      guard float.isFinite else {
        throw .badNPY(offset: start, problem: .notFinite(element: element))
      }
      return "\(float)"
    case .float64: value = Double(bitPattern: bits)
    }
    guard value.isFinite else {
      throw .badNPY(offset: start, problem: .notFinite(element: element))
    }
    return "\(value)"
  }
}
