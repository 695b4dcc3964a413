import ModelImport

extension FuzzTarget {
  /// ONNX models: the messages, the graph, what is computed of it, and the folder that it becomes.
  static let onnx = FuzzTarget(name: "onnx", changes: 100, maxBytes: fileBytes) {
    Seeds.fixtures("onnx", ".onnx") + Seeds.fixtures("onnx_imports", ".onnx", count: 60)
      + Seeds.fixtures("onnx_quantized", ".onnx")
  } run: {
    importFolder($0, named: "model.onnx")
  }

  /// Pickles of arrays and of madmom's networks, and the old form of torch.save, which is pickles one after the other.
  static let pickle = FuzzTarget(name: "pickle", changes: 100, maxBytes: fileBytes) {
    Seeds.fixtures("torch_imports", ".pkl", "legacy/weights.pt", "arrays_npy/weights.npy")
      + Seeds.fixtures("madmom", ".pkl")
  } run: {
    importFolder($0, named: "weights.pkl")
  }

  /// State dicts in the archives of torch.save.
  static let torch = FuzzTarget(name: "torch", changes: 60, maxBytes: fileBytes) {
    Seeds.fixtures("torch_imports", ".pt", ".pth", ".ckpt", ".bin").compactMap(archiveText)
  } run: {
    importArchive($0, named: "weights.pt")
  }

  /// TorchScript: pickles and code.
  static let torchScript = FuzzTarget(name: "torchscript", changes: 25, maxBytes: fileBytes) {
    Seeds.fixtures("torch_graphs", "scripted.pt", "traced.pt").compactMap(archiveText)
  } run: {
    importArchive($0, named: "model.pt")
  }

  /// Archives of torch.export.
  static let exportedProgram = FuzzTarget(name: "pt2", changes: 40, maxBytes: fileBytes) {
    Seeds.fixtures("torch_graphs", ".pt2").compactMap(archiveText)
  } run: {
    importArchive($0, named: "model.pt2")
  }

  /// Vocabularies, labels and scalers, in all their forms.
  static let textList = FuzzTarget(name: "text-list") {
    [
      #"["a","b","c"]"#, #"{"a":0,"b":1}"#, "a\nb\nc\n", #"{"0":"a","1":"b"}"#,
      #"{"mean_":[1,2],"scale_":[3,4]}"#,
      #"{"data_min_":[0],"data_max_":[2],"feature_range":[0,1]}"#,
      #"{"class_name":"TextVectorization","config":{"vocabulary":["x","y"],"output_mode":"int"}}"#,
      #"{"class_name":"Tokenizer","config":{"word_index":"{\"a\": 1, \"b\": 2}","num_words":5,"oov_token":"?"}}"#,
    ].map { Array($0.utf8) }
  } run: { bytes in
    for name in ["words.txt", "words.json"] {
      _ = try? TextList(SourceFile(path: name, bytes: bytes))
      _ = try? ScalerFile(SourceFile(path: name, bytes: bytes))
    }
  }

  /// Imports a file as `carousel-import` does, up to the folder that would be written.
  static func importFolder(_ bytes: [UInt8], named name: String) {
    guard
      let draft = try? importedFolder(
        ImportRequest(files: [name]), from: [SourceFile(path: name, bytes: bytes)])
    else { return }
    _ = try? draft.model()
  }

  private static func importArchive(_ text: [UInt8], named name: String) {
    importFolder(ArchiveText.archive(of: text, numbers: isStorage), named: name)
  }

  private static func archiveText(_ archive: [UInt8]) -> [UInt8]? {
    ArchiveText.text(of: archive, numbers: isStorage)
  }

  /// Whether a record of an archive of PyTorch's holds a tensor's elements.
  private static func isStorage(_ name: String) -> Bool {
    let parts = name.split(separator: "/")
    return parts.contains { $0 == "data" || $0 == "constants" || $0 == "weights" }
      && !name.hasSuffix(".json") && !name.hasSuffix(".pkl")
  }
}
