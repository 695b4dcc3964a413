import ModelFormat

/// An array as NumPy saves it, versions 1 to 3 (NumPy Enhancement Proposal 1).
package struct NPYFile: Sendable {
  package let header: NPYHeader
  /// The elements' bytes in the file's order. The slice's indices are offsets in the file.
  private let data: ArraySlice<UInt8>

  /// The longest header. NumPy's are far shorter.
  package static let maxHeaderBytes = 1 << 16

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Whether `bytes` begin as a .npy file does.
  package static func isNPY(_ bytes: [UInt8]) -> Bool { bytes.starts(with: magic) }

  /// Parses a file, which must consist of header and data only.
  package init(_ bytes: [UInt8]) throws(NumPyError) {
    guard Self.isNPY(bytes) else { throw .npy(offset: 0, problem: .notNPY) }
    let prefix = 12  // magic, version, and a header length of version 2; no file is shorter
    guard bytes.count >= prefix else {
      throw .npy(
        offset: bytes.count, problem: .truncated(expected: prefix, found: bytes.count))
    }
    let lengthBytes: Int
    switch (bytes[6], bytes[7]) {
    case (1, 0): lengthBytes = 2
    case (2, 0), (3, 0): lengthBytes = 4
    case (let major, let minor):
      throw .npy(offset: 6, problem: .version(major: major, minor: minor))
    }
    let start = 8 + lengthBytes
    let length = (8..<start).reversed().reduce(0) { $0 << 8 | Int(bytes[$1]) }
    guard length <= Self.maxHeaderBytes else {
      throw .npy(
        offset: 8, problem: .headerTooLong(bytes: length, limit: Self.maxHeaderBytes))
    }
    guard bytes.count - start >= length else {
      throw .npy(
        offset: bytes.count, problem: .truncated(expected: start + length, found: bytes.count))
    }
    header = try NPYHeader(bytes[start..<start + length], offset: start)
    let data = bytes[(start + length)...]
    guard let counts = header.counts,
      case (let expected, false) = data.startIndex.addingReportingOverflow(counts.bytes)
    else { throw .npy(offset: start, problem: .shapeTooLarge) }
    guard data.count >= counts.bytes else {
      throw .npy(
        offset: bytes.count, problem: .truncated(expected: expected, found: bytes.count))
    }
    guard data.count == counts.bytes else {
      throw .npy(
        offset: expected, problem: .trailingBytes(data.count - counts.bytes))
    }
    self.data = data
  }

  /// The elements' bytes with the last axis fastest (C order), whatever the file's order.
  package var rowMajor: ArraySlice<UInt8> {
    guard header.isFortran, header.shape.count > 1 else { return data }
    let size = header.elementType.bits / 8
    var bytes: [UInt8] = []
    bytes.reserveCapacity(data.count)
    for element in 0..<data.count / size {
      let start = data.startIndex + place(of: element) * size
      bytes += data[start..<start + size]
    }
    return bytes[...]
  }

  /// An error about the `element`-th element in C order; `problem` gets the element's index in the file.
  package func failure(at element: Int, _ problem: (Int) -> NPYProblem) -> NumPyError {
    let place = place(of: element)
    return .npy(
      offset: data.startIndex + place * (header.elementType.bits / 8), problem: problem(place))
  }

  /// The index in the file of the `element`-th element in C order.
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
