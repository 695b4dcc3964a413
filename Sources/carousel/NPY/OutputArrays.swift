import Inference

/// A model's answers as arrays, and the files that hold them.
struct OutputArrays {
  /// An array by the name that it has in an .npz file.
  struct Array {
    let name: String
    let shape: [Int]
    let values: [Float]
  }

  private(set) var arrays: [Array] = []

  /// - Parameters:
  ///   - names: those of the predictions' outputs.
  ///   - isBatch: whether an array has an axis of sequences, be there one. Where sequences have answers of
  ///     different lengths each has an array of its own, `NAME.0` and so on.
  /// - Throws: where that is the name of another output.
  init(
    named names: [String], _ predictions: [Prediction], isBatch: Bool
  ) throws(CarouselError) {
    for (index, name) in names.enumerated() {
      let parts = predictions.map { $0.outputs[index] }
      let shapes = parts.map { part in (part.rows.map { [$0] } ?? []) + [part.size] }
      if !isBatch {
        arrays.append(Array(name: name, shape: shapes[0], values: parts[0].values))
      } else if shapes.allSatisfy({ $0 == shapes[0] }) {
        arrays.append(
          Array(
            name: name, shape: [parts.count] + shapes[0], values: parts.flatMap(\.values)))
      } else {
        for (number, part) in parts.enumerated() {
          arrays.append(
            Array(name: "\(name).\(number)", shape: shapes[number], values: part.values))
        }
      }
    }
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

extension OutputArrays.Array {
  /// The array as a .npy file of version 1 (NumPy Enhancement Proposal 1): little-endian floats in C order.
  var file: [UInt8] {
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
