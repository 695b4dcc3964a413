import ModelFormat

/// A format that can be imported. A new one is a folder beside the others, and a row of `all`.
package struct ImportFormat: Sendable {
  /// The format's name in a sentence.
  package let name: String
  /// Whether the options about a graph's inputs apply: `--set`, `--shape` and `--keep-states`.
  var takesInputOptions = false
  /// Whether `--graph` applies.
  var takesGraph = true
  /// Whether `--names` applies.
  var takesNames = true
  /// What to do where a node or layer is refused and nothing else helps: another file of the same model.
  var otherwise: String?
  /// Whether a file with these bytes has this format; `path` tells formats apart that begin alike.
  let recognises: @Sendable (_ path: String, _ bytes: [UInt8]) -> Bool
  /// Reads the files of a request; the first was recognised.
  let read:
    @Sendable (_ request: ImportRequest, _ files: [SourceFile]) throws(ImportError) -> FolderDraft

  static let all: [ImportFormat] = [
    KerasReader.format,
    .onnx,
    TorchGraphFormat.torchGraph,
    MadmomNetwork.format,
    WeightFormats.torch,
    WeightFormats.npz,
    WeightFormats.safetensors,
  ]
}

/// A file's path and bytes.
package struct SourceFile: Sendable {
  package let path: String
  package let bytes: [UInt8]

  /// The largest file, without external data.
  package static let maxBytes = 4 << 30

  package init(path: String, bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
  }

  package init(path: String) throws(ImportError) {
    do {
      let file = try OpenFile(path: path)
      guard file.size <= Self.maxBytes else {
        throw ImportError(
          file: path, problem: "found \(file.size) bytes, at most \(Self.maxBytes) are read")
      }
      self.init(path: path, bytes: try file.read())
    } catch let error as ModelError {
      throw ImportError(file: path, error)
    } catch let error as ImportError {
      throw error
    } catch { preconditionFailure("\(error)") }
  }

  /// The name without folder and extensions.
  package var stem: String {
    let name = path.split(separator: "/").last ?? "model"
    return String(name.split(separator: ".").first ?? name)
  }
}

/// Imports the files of a request.
///
/// - Throws: if no format is recognised, or its reader refuses the files.
package func importedFolder(_ request: ImportRequest) throws(ImportError) -> FolderDraft {
  var files: [SourceFile] = []
  for path in request.files { files.append(try SourceFile(path: path)) }
  return try importedFolder(request, from: files)
}

/// The same of files whose bytes are there: those that the request names.
package func importedFolder(
  _ request: ImportRequest, from files: [SourceFile]
) throws(ImportError) -> FolderDraft {
  guard let first = files.first?.path else {
    throw ImportError(file: "-", problem: "no file was named")
  }
  guard let format = ImportFormat.all.first(where: { $0.recognises(first, files[0].bytes) }) else {
    throw UnreadFile(path: first).refusal(files[0].bytes)
  }
  if !format.takesInputOptions, let option = request.inputOptions.first {
    throw ImportError(
      file: first,
      problem:
        "found \(option) for \(format.name), expected it for an ONNX model, TorchScript or .pt2 alone",
      remedy: "leave it out: this kind of file says what the inputs are")
  }
  for (option, isRead) in [
    (request.graph.map { "--graph \($0)" }, format.takesGraph),
    (request.names.map { "--names \($0)" }, format.takesNames),
  ] {
    guard !isRead, let option else { continue }
    throw ImportError(
      file: first, problem: "found \(option) for \(format.name), expected it for weights alone",
      remedy: "leave it out: this kind of file has the graph and the names of its weights")
  }
  var draft: FolderDraft
  do throws(ImportError) { draft = try format.read(request, files) } catch {
    var error = error
    if error.place != nil { error.remedy = error.remedy ?? format.otherwise }
    throw error
  }
  draft.noteTables()
  CallersStates.begin(&draft)
  try Preprocessing(request: request).apply(to: &draft)
  return draft
}
