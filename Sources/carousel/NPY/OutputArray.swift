import NumPyFormat
import Serving

/// An array of an answer, as a .npy file holds it.
struct OutputArray {
  let name: String
  let shape: [Int]
  let elements: Elements

  enum Elements {
    case floats([Float])
    case indices([Int32])
    case texts([String])

    fileprivate var floats: [Float] { if case .floats(let floats) = self { floats } else { [] } }
    fileprivate var indices: [Int32] {
      if case .indices(let indices) = self { indices } else { [] }
    }
    fileprivate var texts: [String] { if case .texts(let texts) = self { texts } else { [] } }

    /// The elements of several arrays of the same kind, one after another.
    fileprivate init(_ parts: [Elements]) {
      switch parts[0] {
      case .floats: self = .floats(parts.flatMap(\.floats))
      case .indices: self = .indices(parts.flatMap(\.indices))
      case .texts: self = .texts(parts.flatMap(\.texts))
      }
    }
  }

  init(_ name: String, shape: [Int], _ elements: Elements) {
    self.name = name
    self.shape = shape
    self.elements = elements
  }

  init(_ tensor: Tensor) {
    guard case .floats(let floats, let range) = tensor.elements else {
      preconditionFailure("an answer of \(tensor.type)")
    }
    self.init(tensor.name, shape: tensor.shape, .floats(Array(floats[range])))
  }

  /// The arrays called `name` for all sequences; `parts` has one for each sequence. Without a batch, that is the only
  /// part. For a batch, it is one array with an additional first axis of sequences or, if the shapes differ, an array
  /// for each sequence: `NAME.0` and so on.
  static func arrays(
    named name: String, _ parts: [(shape: [Int], elements: Elements)], isBatch: Bool
  ) -> [OutputArray] {
    guard isBatch else { return [OutputArray(name, shape: parts[0].shape, parts[0].elements)] }
    guard parts.allSatisfy({ $0.shape == parts[0].shape }) else {
      return parts.enumerated().map {
        OutputArray("\(name).\($0)", shape: $1.shape, $1.elements)
      }
    }
    return [
      OutputArray(
        name, shape: [parts.count] + parts[0].shape, Elements(parts.map { $0.elements }))
    ]
  }

  /// A .npy file of version 1 (NumPy Enhancement Proposal 1), little-endian in C order: floats, 32-bit integers, or
  /// texts of Unicode scalars, padded with zeros to the length of the longest.
  var file: [UInt8] {
    let longest: Int
    let type: String
    switch elements {
    case .floats: (longest, type) = (1, "<f4")
    case .indices: (longest, type) = (1, "<i4")
    case .texts(let texts):
      longest = max(1, texts.map(\.unicodeScalars.count).max() ?? 1)
      type = "<U\(longest)"
    }
    let sizes = shape.map { "\($0)," }.joined(separator: " ")
    var header = "{'descr': '\(type)', 'fortran_order': False, 'shape': (\(sizes)), }"
    // Spaces and a line feed pad the header, so that the data begins at a multiple of 64 bytes.
    let before = 10
    header += String(repeating: " ", count: 63 - (before + header.utf8.count) % 64) + "\n"
    var bytes: [UInt8] = [0x93] + "NUMPY".utf8 + [1, 0]
    bytes.appendLittleEndian(UInt64(header.utf8.count), bytes: 2)
    bytes += header.utf8
    switch elements {
    case .floats(let floats):
      bytes.reserveCapacity(bytes.count + 4 * floats.count)
      for value in floats { bytes.appendLittleEndian(UInt64(value.bitPattern), bytes: 4) }
    case .indices(let indices):
      for index in indices {
        bytes.appendLittleEndian(UInt64(UInt32(bitPattern: index)), bytes: 4)
      }
    case .texts(let texts):
      for text in texts {
        for scalar in text.unicodeScalars {
          bytes.appendLittleEndian(UInt64(scalar.value), bytes: 4)
        }
        bytes += repeatElement(0, count: 4 * (longest - text.unicodeScalars.count))
      }
    }
    return bytes
  }
}
