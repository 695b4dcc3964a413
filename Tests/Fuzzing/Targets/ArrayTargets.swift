import NumPyFormat

extension FuzzTarget {
  /// Arrays of NumPy's.
  static let npy = FuzzTarget(name: "npy", maxBytes: fileBytes) {
    Seeds.fixtures("torch", ".npy", count: 4) + Seeds.fixtures("onnx", ".npy", count: 8)
  } run: { bytes in
    guard let file = try? NPYFile(bytes) else { return }
    guard let counts = file.header.counts else { preconditionFailure("a shape without a count") }
    precondition(file.rowMajor.count == counts.bytes, "another number of bytes")
    _ = file.failure(at: counts.elements - 1) { .notFinite(element: $0) }
  }

  /// Archives of arrays.
  static let npz = FuzzTarget(name: "npz", maxBytes: fileBytes) {
    Seeds.fixtures("keras", ".npz", count: 8) + Seeds.fixtures("torch_imports", ".npz", count: 4)
  } run: { bytes in
    guard let file = try? NPZFile(bytes) else { return }
    for place in file.names.indices.prefix(32) {
      _ = try? file.arrays(at: [place]).map(\.rowMajor.count)
    }
  }

  /// Zip archives: as they are, and one that holds the bytes.
  static let zip = FuzzTarget(name: "zip", changes: 150, maxBytes: fileBytes) {
    Seeds.fixtures("keras", ".npz", count: 3)
      + Seeds.fixtures("torch_imports", ".pt", ".npz", count: 6)
      + [zipArchive(of: []), zipArchive(of: [("a/b", [1, 2, 3]), ("c", [])])]
  } run: { bytes in
    let names = ["a", "b/c"]
    let made = zipArchive(of: names.map { ($0, bytes) })
    guard let back = try? ZipArchive(made), back.names == names,
      (try? back.content(at: 1)) == bytes
    else { preconditionFailure("what was archived is another") }
    guard let archive = try? ZipArchive(bytes) else { return }
    for place in archive.names.indices.prefix(32) where archive.size(at: place) <= 16 << 20 {
      guard let content = try? archive.content(at: place) else { continue }
      precondition(content.count == archive.size(at: place), "another size")
    }
  }
}
