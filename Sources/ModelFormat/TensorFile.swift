/// A safetensors file: named tensors, memory-mapped, converted to floats on demand.
///
/// The file is untrusted: every offset and size is checked when it is opened.
package struct TensorFile: Sendable {
  private enum Storage {
    case mapped(FileMapping)
    case bytes([UInt8])
  }

  private let storage: Storage
  private let header: TensorHeader

  /// Maps and checks the file at `path`. The file must not be changed in place while it is open: if another process
  /// truncates it, reading a lost page kills this process (SIGBUS).
  package init(path: String) throws(ModelError) {
    let file = try OpenFile(path: path)
    guard file.size > 0 else {
      throw .truncated("the header's length", expected: TensorHeader.lengthBytes, found: 0)
    }
    let mapping = try file.map()
    do {
      header = try mapping.withBytes { bytes throws(ModelError) in try TensorHeader(bytes) }
    } catch {
      guard let foreign = mapping.withBytes({ ForeignFile($0) }) else { throw error }
      throw .foreignFile(path: path, foreign)
    }
    storage = .mapped(mapping)
  }

  /// Checks the bytes of a file in memory.
  package init(bytes: [UInt8]) throws(ModelError) {
    header = try TensorHeader(bytes.span)
    storage = .bytes(bytes)
  }

  /// The tensors' names, sorted by their UTF-8 bytes.
  package var names: [String] { header.names }

  /// The header's `__metadata__`.
  package var metadata: [String: String] { header.metadata }

  package func contains(_ name: String) -> Bool { header.entries[name] != nil }

  /// The tensor's shape, outermost axis first; nil if there is no such tensor.
  package func shape(of name: String) -> [Int]? { header.entries[name]?.shape }

  /// The number of the tensor's elements; 0 if there is no such tensor.
  package func elementCount(of name: String) -> Int { shape(of: name)?.reduce(1, *) ?? 0 }

  /// The type of the tensor's elements; nil if there is no such tensor.
  package func dtype(of name: String) -> ElementType? { header.entries[name]?.type }

  /// The error that `node`'s tensor is missing, with tensors that may be meant.
  func missing(_ tensor: String, node: String, hint: TensorHint? = nil) -> ModelError {
    .missingTensor(
      tensor, node: node, near: ModelFormat.names(near: tensor, among: names),
      hint: isInParts(tensor) ? .reparametrised : hint)
  }

  /// Whether there are tensors of which PyTorch makes this one: of a weight norm, a spectral norm, a pruning or a parametrization.
  private func isInParts(_ tensor: String) -> Bool {
    if ["_g", "_orig", "_raw"].contains(where: { contains(tensor + $0) }) { return true }
    let prefix = tensor.lastIndex(of: ".").map { tensor[...$0] } ?? ""
    let parts = "\(prefix)parametrizations.\(tensor.dropFirst(prefix.count))."
    return names.contains { $0.hasPrefix(parts) }
  }

  /// Calls a closure with the bytes of the whole file.
  package func withBytes<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
    switch storage {
    case .mapped(let mapping): mapping.withBytes(body)
    case .bytes(let bytes): body(bytes.span)
    }
  }

  /// The tensor's elements in row-major order, each as the nearest float.
  ///
  /// Throws for types other than F16, BF16, F32 and F64, and for elements that are not finite as floats.
  package func floats(_ name: String) throws(ModelError) -> [Float] {
    guard let entry = header.entries[name] else {
      throw .missingTensor(name, node: nil, near: [], hint: nil)
    }
    switch storage {
    case .bytes(let bytes):
      return try TensorFile.convert(bytes.span.extracting(entry.bytes), entry, name: name)
    case .mapped(let mapping):
      return try mapping.withBytes { bytes throws(ModelError) in
        try TensorFile.convert(bytes.extracting(entry.bytes), entry, name: name)
      }
    }
  }

  private static func convert(
    _ bytes: Span<UInt8>, _ entry: TensorHeader.Entry, name: String
  ) throws(ModelError) -> [Float] {
    let count = entry.elementCount
    var floats: [Float] = []
    floats.reserveCapacity(count)
    switch entry.type {
    case .f16:
      for index in 0..<count {
        floats.append(Float(Float16(bitPattern: UInt16(bytes.word(at: index * 2, 2)))))
      }
    case .bf16:
      for index in 0..<count {
        floats.append(Float(bitPattern: UInt32(bytes.word(at: index * 2, 2)) << 16))
      }
    case .f32:
      for index in 0..<count {
        floats.append(Float(bitPattern: UInt32(bytes.word(at: index * 4, 4))))
      }
    case .f64:
      for index in 0..<count {
        floats.append(Float(Double(bitPattern: bytes.word(at: index * 8, 8))))
      }
    case .bool, .f4, .f6e2m3, .f6e3m2, .u8, .i8, .f8e5m2, .f8e4m3, .f8e8m0, .f8e4m3fnuz,
      .f8e5m2fnuz, .i16, .u16, .i32, .u32, .c64, .i64, .u64:
      throw .notConvertible(tensor: name, type: entry.type)
    }
    if let index = floats.firstIndex(where: { !$0.isFinite }) {
      guard entry.type == .f64 else {
        throw .notFinite(tensor: name, index: index, value: Double(floats[index]))
      }
      let value = Double(bitPattern: bytes.word(at: index * 8, 8))
      throw .notFinite(tensor: name, index: index, value: value)
    }
    return floats
  }
}

extension Span<UInt8> {
  /// The little-endian word of `count` bytes at `offset`.
  @inline(__always)
  fileprivate func word(at offset: Int, _ count: Int) -> UInt64 {
    var word: UInt64 = 0
    for index in 0..<count { word |= UInt64(self[offset + index]) << UInt64(8 * index) }
    return word
  }
}
