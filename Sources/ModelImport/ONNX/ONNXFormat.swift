import ModelFormat

extension ImportFormat {
  /// `.onnx` files of any exporter, with external data beside them.
  static let onnx = ImportFormat(
    name: "an ONNX model", takesInputOptions: true, takesGraph: false, takesNames: false,
    otherwise: Remedy.otherThanONNX
  ) { path, bytes in
    isONNX(path, bytes)
  } read: { request, files throws(ImportError) in
    guard files.count <= 2 else {
      throw ImportError(
        file: files[2].path,
        problem: "found a third file, expected a model, or an encoder and a decoder")
    }
    for file in files.dropFirst() where !isONNX(file.path, file.bytes) {
      var refusal = UnreadFile(path: file.path).refusal(
        file.bytes, expected: "beside an ONNX model the decoder of the encoder before it, in ONNX")
      if refusal.remedy == nil {
        refusal.remedy =
          "import the model alone; a vocabulary, labels and a scaler are options (--vocabulary, --labels, --scaler)"
          + (file.path.hasSuffix(".npz") ? "; \(Remedy.field(in: file.path))" : "")
      }
      throw refusal
    }
    var options = try GraphTranslation.Options(request)
    options.keepsStates = options.keepsStates || files.count == 2
    var graphs: [SourceGraph] = []
    for file in files {
      do throws(ImportError) {
        var graph = try SourceGraph(onnx: file.bytes, file: file.path)
        try graph.takeShapes(options.shapes)
        graphs.append(graph)
      } catch { throw error.of(file.path) }
    }
    do throws(ImportError) {
      try options.checkNames(graphs.flatMap { $0.inputs.map(\.name) })
    } catch { throw error.of(files[0].path) }
    if graphs.count == 2 { DecoderPair.prepare(&graphs[1], &options) }
    var drafts: [FolderDraft] = []
    for (file, graph) in zip(files, graphs) {
      do throws(ImportError) {
        var options = options
        options.isDecoder = !drafts.isEmpty
        let translation = GraphTranslation(graph, options: options)
        var draft = try translation.folder(named: request.name ?? file.stem)
        draft.externalFiles = graph.externalFiles
        if graph.isFromTensorFlow, files.count == 1 {
          do throws(ModelError) { _ = try draft.model() } catch {
            throw ImportError(file: file.path, error)
          }
        }
        drafts.append(draft)
      } catch {
        throw (graph.isFromTensorFlow ? error.ofKeras : error).of(file.path)
      }
    }
    if drafts.count == 1 { return drafts[0] }
    var pair = try DecoderPair(encoder: drafts[0], decoder: drafts[1], file: files[1].path).draft()
    pair.externalFiles = drafts[0].externalFiles.union(drafts[1].externalFiles)
    return pair
  }

  /// A page that a download left is none, whatever its name.
  private static func isONNX(_ path: String, _ bytes: [UInt8]) -> Bool {
    let kind = ForeignFile(bytes.span)
    return kind == .onnx || kind == nil && !bytes.isEmpty && path.hasSuffix(".onnx")
  }
}

extension ImportError {
  /// With the file that a Keras model is better imported from: what tf2onnx makes of its layers may not be recognised, and the layers are.
  fileprivate var ofKeras: ImportError {
    var error = self
    let isNamed = error.remedy?.contains(Remedy.kerasFile) == true
    error.remedy = [error.remedy, isNamed ? nil : Remedy.kerasFile, Remedy.frozenWeights]
      .compactMap { $0 }.joined(separator: "; ")
    return error
  }
}

extension SourceGraph {
  /// The graph of an ONNX file, with functions inlined.
  package init(onnx bytes: [UInt8], file: String) throws(ImportError) {
    let model = try ONNXModel(bytes, file: file)
    var inlining = FunctionInlining(functions: model.functions)
    self = try inlining.inline(model.graph)
    order()
  }

  /// Gives inputs of which the file says no number of axes those of `--shape`.
  fileprivate mutating func takeShapes(_ shapes: [String: [Int]]) throws(ImportError) {
    for index in inputs.indices where !inputs[index].hasShape {
      let name = inputs[index].name
      guard nodes.contains(where: { $0.needed.contains(name) }) else { continue }
      guard let shape = shapes[name] else {
        throw ImportError(
          file: "", place: "input \(name.jsonExcerpt)",
          problem: "found no shape, by which the steps are told from the elements",
          remedy:
            "give its axes, 0 for the batch and the steps, as of [batch, steps, 4]: --shape \(name)=0,0,4"
        )
      }
      inputs[index].dimensions = shape.enumerated().map { axis, size in
        size > 0 ? .fixed(size) : .named("\(name)[\(axis)]")
      }
    }
  }
}
