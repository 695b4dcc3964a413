import NumPyFormat

@testable import ModelImport

/// An array of a .npy file as floats.
struct NPYArray {
  let shape: [Int]
  let floats: [Float]

  init(_ file: SourceFile) throws {
    let npy = try NPYFile(file.bytes)
    shape = npy.header.shape
    let tensor = StridedTensor(npy.header.elementType, shape: shape, storage: .record("data"))
    floats = tensor.floats(from: npy.rowMajor) ?? []
  }
}
