import ModelFormat
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

  /// The array with its last axis fastest, whatever the order in the file.
  var tensor: Tensor {
    guard header.isFortran, header.shape.count > 1,
      case .bytes(let data, let type) = elements.elements
    else { return Tensor(shape: header.shape, elements.elements) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(data.count)
    for element in 0..<elements.count {
      let start = data.startIndex + place(of: element) * type.byteCount
      bytes += data[start..<start + type.byteCount]
    }
    return Tensor(shape: header.shape, .bytes(bytes[...], type))
  }

  /// The array as sequences of an input: one, or many along its first axis (see `Tensor.column`).
  func column(for input: ModelDescription.Input) throws(CarouselError) -> InputColumn {
    do { return try tensor.column(of: input.kind) } catch {
      switch error {
      case .notFinite(let element): throw problem(element) { .notFinite(element: $0) }
      case .id(let element, let found, let size):
        throw problem(element) {
          if !found.isFinite { return .notFinite(element: $0) }
          return found == found.rounded()
            ? .tokenRange(element: $0, found: found, size: size) : .notWhole(element: $0)
        }
      case .shape(_, let expected):
        throw .arrayShape(input: input.name, found: header.shape, expected: expected)
      case .shapeTooLarge, .byteCount: preconditionFailure("the header was checked: \(error)")
      }
    }
  }

  private func problem(_ element: Int, _ problem: (Int) -> NPYProblem) -> CarouselError {
    let place = place(of: element)
    return .badNPY(
      offset: dataStart + place * header.elementType.byteCount, problem: problem(place))
  }

  /// The place in the file of an element that is the `element`-th where the last axis is fastest.
  private func place(of element: Int) -> Int {
    guard header.isFortran else { return element }
    var (rest, place) = (element, 0)
    for (length, stride) in zip(header.shape, header.strides).reversed() {
      place += rest % length * stride
      rest /= length
    }
    return place
  }
}
