import ModelFormat

/// A format that models are brought in. A new one is a folder of its own beside the others and a row of `all`.
package struct ImportFormat: Sendable {
  /// What the format is called in a sentence.
  package let name: String
  /// Whether files that begin with these bytes are of it; `path` is for formats that share their first bytes.
  let recognises: @Sendable (_ path: String, _ bytes: [UInt8]) -> Bool
  /// Reads the files of a request, the first of which was recognised.
  let read:
    @Sendable (_ request: ImportRequest, _ files: [SourceFile]) throws(ImportError) -> FolderDraft

  static let all: [ImportFormat] = [
    KerasReader.format,
    .onnx,
    TorchGraphFormat.torchGraph,
    WeightFormats.torch,
    WeightFormats.npz,
    WeightFormats.safetensors,
  ]
}

/// A file that was named, and its bytes.
package struct SourceFile: Sendable {
  package let path: String
  package let bytes: [UInt8]

  /// What a file may be long, external data apart.
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

  /// The name without its folder and its endings.
  package var stem: String {
    let name = path.split(separator: "/").last ?? "model"
    return String(name.split(separator: ".").first ?? name)
  }
}

/// The folder that the files of a request become.
///
/// - Throws: where no format is recognised, or its reader refuses the files.
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
    let bytes = files[0].bytes
    let kind = ForeignFile(bytes.span)
    let found = kind?.what ?? "a file of an unknown kind"
    throw ImportError(
      file: first,
      problem:
        "found \(found), expected \(ImportFormat.all.map(\.name).joined(separator: ", "))")
  }
  var draft = try format.read(request, files)
  try Preprocessing(request: request).apply(to: &draft)
  return draft
}
