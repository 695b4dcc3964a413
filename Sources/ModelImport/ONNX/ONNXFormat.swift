import ModelFormat

extension ImportFormat {
  /// `.onnx` files, of whatever exporter, with their external data beside them.
  static let onnx = ImportFormat(name: "an ONNX model") { path, bytes in
    ForeignFile(bytes.span) == .onnx || path.hasSuffix(".onnx")
  } read: { request, files throws(ImportError) in
    guard files.count == 1 else {
      throw ImportError(
        file: files[1].path, problem: "found a second file, expected one ONNX model",
        remedy: "import each file into a folder of its own")
    }
    let file = files[0]
    do throws(ImportError) {
      let graph = try SourceGraph(onnx: file.bytes, file: file.path)
      return try GraphTranslation(graph, options: .init(request)).folder(
        named: request.name ?? file.stem)
    } catch { throw error.of(file.path) }
  }
}

extension SourceGraph {
  /// The graph of an ONNX file, its functions put in the place of their calls.
  package init(onnx bytes: [UInt8], file: String) throws(ImportError) {
    let model = try ONNXModel(bytes, file: file)
    var inlining = FunctionInlining(functions: model.functions)
    self = try inlining.inline(model.graph)
  }
}
