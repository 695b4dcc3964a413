import ModelFormat

extension ImportFormat {
  /// `.onnx` files of any exporter, with external data beside them.
  static let onnx = ImportFormat(name: "an ONNX model") { path, bytes in
    ForeignFile(bytes.span) == .onnx || path.hasSuffix(".onnx")
  } read: { request, files throws(ImportError) in
    guard files.count <= 2 else {
      throw ImportError(
        file: files[2].path,
        problem: "found a third file, expected a model, or an encoder and a decoder")
    }
    var options = try GraphTranslation.Options(request)
    options.keepsStates = options.keepsStates || files.count == 2
    var drafts: [FolderDraft] = []
    for file in files {
      do throws(ImportError) {
        let graph = try SourceGraph(onnx: file.bytes, file: file.path)
        drafts.append(
          try GraphTranslation(graph, options: options).folder(named: request.name ?? file.stem))
      } catch { throw error.of(file.path) }
    }
    if drafts.count == 1 { return drafts[0] }
    return try DecoderPair(encoder: drafts[0], decoder: drafts[1], file: files[1].path).draft()
  }
}

extension SourceGraph {
  /// The graph of an ONNX file, with functions inlined.
  package init(onnx bytes: [UInt8], file: String) throws(ImportError) {
    let model = try ONNXModel(bytes, file: file)
    var inlining = FunctionInlining(functions: model.functions)
    self = try inlining.inline(model.graph)
  }
}
