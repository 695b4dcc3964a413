import Serving

/// An array as NumPy saves it, versions 1 to 3 (NumPy Enhancement Proposal 1).
struct NPYFile {
  let header: NPYHeader
  /// The elements, in the order of the file.
  private let elements: Tensor
  /// Where they begin in the file.
  private let dataStart: Int

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
    let data = bytes[(start + length)...]
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
    dataStart = data.startIndex
    elements = Tensor(shape: [counts.elements], .bytes(data, header.elementType))
  }

  /// The array as nested JSON arrays, each float the shortest text that reads back the same; false and true are 0 and 1.
  ///
  /// An array without axes gives one number.
  /// - Parameters:
  ///   - leavesOutLastAxis: of length 1: each of its elements stands for itself.
  ///   - isWhole: whether only whole numbers will do.
  func json(
    leavesOutLastAxis: Bool = false, isWhole: Bool = false
  ) throws(CarouselError) -> String {
    precondition(!leavesOutLastAxis || header.shape.last == 1)
    var text = ""
    let axes = zip(header.shape, header.strides).map { (length: $0, stride: $1) }
    try append(
      axes.dropLast(leavesOutLastAxis ? 1 : 0), element: 0, isWhole: isWhole, to: &text)
    return text
  }

  private func append(
    _ axes: ArraySlice<(length: Int, stride: Int)>, element: Int, isWhole: Bool,
    to text: inout String
  ) throws(CarouselError) {
    guard let axis = axes.first else {
      text += try number(element, isWhole: isWhole)
      return
    }
    text += "["
    for index in 0..<axis.length {
      if index > 0 { text += "," }
      try append(
        axes.dropFirst(), element: element + index * axis.stride, isWhole: isWhole,
        to: &text)
    }
    text += "]"
  }

  private func number(_ element: Int, isWhole: Bool) throws(CarouselError) -> String {
    switch elements.number(element) {
    case .natural(let value): return String(value)
    case .whole(let value): return String(value)
    case .float(let value): return try text(value, element, isWhole: isWhole)
    case .double(let value): return try text(value, element, isWhole: isWhole)
    }
  }

  private func text<Value: BinaryFloatingPoint & CustomStringConvertible>(
    _ value: Value, _ element: Int, isWhole: Bool
  ) throws(CarouselError) -> String {
    let offset = dataStart + element * header.elementType.byteCount
    guard value.isFinite else {
      throw .badNPY(offset: offset, problem: .notFinite(element: element))
    }
    guard !isWhole || value == value.rounded() else {
      throw .badNPY(offset: offset, problem: .notWhole(element: element))
    }
    return value.description
  }
}
