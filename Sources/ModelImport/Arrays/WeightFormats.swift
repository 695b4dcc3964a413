import ModelFormat
import NumPyFormat

/// The formats of files with weights but no graph.
enum WeightFormats {
  /// Files of `torch.save` (zip or legacy), and pickles of NumPy arrays.
  static let torch = ImportFormat(
    name: "a file of torch.save (.pt, .pth, .ckpt, .bin) or a pickle of arrays",
    recognises: { path, bytes in WeightFile(path: path, bytes) == .torch }, read: readWeights)

  static let npz = ImportFormat(
    name: "an .npz archive", recognises: { path, bytes in WeightFile(path: path, bytes) == .npz },
    read: readWeights)

  static let safetensors = ImportFormat(
    name: "a safetensors file",
    recognises: { path, bytes in WeightFile(path: path, bytes) == .safetensors }, read: readWeights)

  private static func readWeights(
    _ request: ImportRequest, _ files: [SourceFile]
  ) throws(ImportError) -> FolderDraft {
    var tables: [(stem: String, table: WeightTable)] = []
    for file in files {
      if let parts = file.parts {
        throw ImportError(
          file: file.path,
          problem: "found one of the \(parts.count) files that a model's weights are divided into",
          remedy: UnreadFile.joining(parts: parts))
      }
      guard let kind = WeightFile(path: file.path, file.bytes) else {
        throw ImportError(
          file: file.path,
          problem:
            "found \(ForeignFile(file.bytes.span)?.what ?? "a file of an unknown kind"), expected weights as in the file before"
        )
      }
      tables.append((file.stem, try kind.table(file, hasGraph: request.graph != nil)))
    }
    return try WeightsImport(request: request).draft(tables)
  }
}

/// A kind of file with named tensors and no graph.
private enum WeightFile {
  case torch, npz, safetensors

  /// Nil if the bytes are of no such kind.
  init?(path: String, _ bytes: [UInt8]) {
    switch ForeignFile(bytes.span) {
    case .torchZip, .torchPickle, .pickle: self = .torch
    case .npz: self = .npz
    case .npy where TorchFile.pickledObjects(in: bytes) != nil: self = .torch
    case nil where Self.isSafetensors(bytes): self = .safetensors
    case nil where path.hasSuffix(".pkl") || path.hasSuffix(".pickle"): self = .torch
    default: return nil
    }
  }

  /// Whether the bytes begin with a header's length and the header (safetensors).
  private static func isSafetensors(_ bytes: [UInt8]) -> Bool {
    bytes.count > 8 && bytes[5..<8].allSatisfy { $0 == 0 } && bytes[8] == UInt8(ascii: "{")
  }

  func table(_ file: SourceFile, hasGraph: Bool) throws(ImportError) -> WeightTable {
    switch self {
    case .torch:
      do throws(ImportError) {
        return try WeightTable(
          torch: try TorchFile(file), fileBytes: file.bytes.count, hasGraph: hasGraph)
      } catch {
        // A library's own object may have estimators of scikit-learn in it.
        let name = (try? TorchFile(file)).flatMap { PickledObject.className(in: $0) }
        if let name, !name.hasPrefix("sklearn.") { throw error }
        throw ForeignPickle(file)?.refusal ?? error
      }
    case .npz: return try WeightTable(npz: file)
    case .safetensors: return try WeightTable(safetensors: file)
    }
  }
}

extension SourceFile {
  /// The names of all files into which weights are divided, of one that is called as Hugging Face's: `model-00001-of-00002.safetensors`;
  /// nil for other names.
  fileprivate var parts: [String]? {
    let name = path.split(separator: "/").last ?? ""
    guard let found = name.wholeMatch(of: /(.+)-\d{5}-of-(\d{5})(\.\w+)/),
      let count = Int(found.2), count > 1
    else { return nil }
    return (1...count).map { place in
      let zeros = String(repeating: "0", count: 5 - "\(place)".count)
      return "\(found.1)-\(zeros)\(place)-of-\(found.2)\(found.3)"
    }
  }
}
