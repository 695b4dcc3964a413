import ModelFormat

extension FuzzTarget {
  /// The weights of a model folder.
  static let safetensors = FuzzTarget(name: "safetensors", maxBytes: fileBytes) {
    Seeds.fixtures("ops", ".safetensors", count: 6)
      + Seeds.fixtures("torch", ".safetensors", count: 2)
  } run: { bytes in
    guard let file = try? TensorFile(bytes: bytes) else { return }
    for name in file.names {
      guard let floats = try? file.floats(name) else { continue }
      precondition(floats.count == file.elementCount(of: name), "another shape")
    }
  }

  /// A model folder: `model.json`, and of `model.safetensors` the header, behind which there are zeros.
  static let modelFolder = FuzzTarget(name: "model-folder", maxBytes: fileBytes) {
    ["ops", "forms", "cells", "decoders", "decoding", "steps"].flatMap(Seeds.modelFolders)
      .map { description, tensors in
        ArchiveText.text(of: [("model.json", description), ("header", header(of: tensors))])
      }
  } run: { bytes in
    let files = ArchiveText.files(in: bytes)
    func content(_ name: String) -> [UInt8] { files.first { $0.name == name }?.content ?? [] }
    guard let description = try? ModelDescription(json: content("model.json")),
      let tensors = try? TensorFile(bytes: tensorFile(header: content("header")))
    else { return }
    _ = try? Model(description: description, tensors: tensors)
  }

  private static func header(of tensors: [UInt8]) -> [UInt8] {
    let length = tensors.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    return Array(tensors.dropFirst(8).prefix(length))
  }

  /// A file of that header, with as many zeros as the largest number in it that may be an offset.
  private static func tensorFile(header: [UInt8]) -> [UInt8] {
    let numbers = header.split { !(0x30...0x39).contains($0) }
      .compactMap { Int(String(decoding: $0, as: UTF8.self)) }.filter { $0 <= 1 << 20 }
    let length = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
    return length + header + Array(repeating: 0, count: numbers.max() ?? 0)
  }
}
