import Inference
import NumPyFormat
import Serving

/// A model's answers as arrays, and the files that hold them.
struct OutputArrays {
  let arrays: [Tensor]

  /// - Parameters:
  ///   - names: those of the predictions' outputs.
  ///   - isBatch: whether an array has an axis of sequences (see `Tensor.answers`).
  /// - Throws: where an array of one sequence would have the name of another output.
  init(
    named names: [String], _ predictions: [Prediction], isBatch: Bool
  ) throws(CarouselError) {
    arrays = Tensor.answers(named: names, predictions, isArray: isBatch)
    var known: Set<String> = []
    for array in arrays where !known.insert(array.name).inserted {
      throw .sameArrayName(array.name)
    }
  }

  /// The bytes of a file of such a name: an archive where it ends in .npz, else the one array.
  func file(named path: String) throws(CarouselError) -> [UInt8] {
    if path.hasSuffix(".npz") {
      return zipArchive(of: arrays.map { ("\($0.name).npy", $0.file) })
    }
    guard arrays.count == 1 else {
      throw .manyArrays(path: path, names: arrays.map(\.name))
    }
    return arrays[0].file
  }
}

extension Tensor {
  /// The array as a .npy file of version 1 (NumPy Enhancement Proposal 1): little-endian floats in C order.
  fileprivate var file: [UInt8] {
    guard case .floats(let floats, let range) = elements else {
      preconditionFailure("an answer of \(type)")
    }
    let values = floats[range]
    let sizes = shape.map { "\($0)," }.joined(separator: " ")
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (\(sizes)), }"
    // The data begins at a multiple of 64, behind a line's end.
    let before = 10
    header += String(repeating: " ", count: 63 - (before + header.utf8.count) % 64) + "\n"
    var bytes: [UInt8] = [0x93] + "NUMPY".utf8 + [1, 0]
    bytes.reserveCapacity(before + header.utf8.count + 4 * values.count)
    bytes.appendLittleEndian(UInt64(header.utf8.count), bytes: 2)
    bytes += header.utf8
    for value in values { bytes.appendLittleEndian(UInt64(value.bitPattern), bytes: 4) }
    return bytes
  }
}
