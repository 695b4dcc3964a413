import ModelFormat
import NumPyFormat

/// PyTorch's archives with a graph.
enum TorchGraphFormat {
  /// TorchScript, and files of `torch.export.save`.
  static let torchGraph = ImportFormat(
    name: "a TorchScript archive or a .pt2 of torch.export", takesInputOptions: true,
    otherwise: Remedy.otherThanTorch,
    recognises: { path, bytes in
      guard ZipArchive.isZip(bytes), ForeignFile(bytes.span) != .npz,
        let records = try? ZipRecords(SourceFile(path: path, bytes: bytes))
      else { return false }
      return ScriptModule.isThere(in: records) || ExportedProgram.record(in: records) != nil
    },
    read: { request, files throws(ImportError) in
      let file = files[0]
      guard files.count == 1 else {
        throw ImportError(
          file: files[1].path, problem: "found a second file, expected one archive with its graph",
          remedy: "import each file into a folder of its own")
      }
      let records = try ZipRecords(file)
      let record = ExportedProgram.record(in: records)
      if request.graph != nil || request.names != nil {
        guard record == nil else {
          throw ImportError(
            file: file.path,
            problem: "found a .pt2, which has its own graph, and one given with it",
            remedy:
              "leave --graph and --names out, or save the state_dict and import that with the graph"
          )
        }
        return try WeightFormats.torch.read(request, files)
      }
      do throws(ImportError) {
        let name = request.name ?? file.stem
        let options = try GraphTranslation.Options(request)
        guard let record else {
          return try ScriptImport(file, records).draft(named: name, options: options)
        }
        let program = try ExportedProgram(file, records, record: record)
        let inputs = InputAlternatives(inputs: try program.inputs())
        try options.checkNames(inputs.inputs.map(\.name))
        return try InputAlternatives.folder(options) { options throws(ImportError) in
          try inputs.folder(named: name, options: options) { inputs throws(ImportError) in
            try program.sourceGraph(inputs)
          }
        }
      } catch { throw error.of(file.path) }
    })
}
