import ModelFormat

extension UnreadFile {
  /// The error for a folder in the place of a file.
  func folderRefusal() -> ImportError {
    let (found, remedy) = folderFinding(Folder.names(in: path).sorted())
    return ImportError(
      file: path, problem: "found \(found), expected the model's file", remedy: remedy)
  }

  private func folderFinding(_ names: [String]) -> (found: String, remedy: String?) {
    let folder = path.hasSuffix("/") ? String(path.dropLast()) : path
    func has(_ files: String...) -> Bool { files.allSatisfy(names.contains) }
    if has(Model.descriptionFile, Model.tensorFile) {
      return ("a model folder", "it is served as it is: carousel serve \(folder)")
    }
    if has("saved_model.pb") {
      return ("a TensorFlow SavedModel", Self.savedModel.replacing("FOLDER", with: folder))
    }
    if folder.hasSuffix(".mlpackage") { return ("a Core ML model", Self.fromItsFramework) }
    if has("config.json", "model.weights.h5") {
      return (
        "the unpacked parts of a .keras file",
        "carousel-import \(folder)/model.weights.h5 --graph \(folder)/config.json -o FOLDER"
      )
    }
    if names.contains(where: { $0.hasSuffix(".index") }), has("checkpoint") {
      return (
        "a checkpoint of TensorFlow",
        "load it into the model in Python, and save that: model.save('model.keras')"
      )
    }
    if names.contains(where: { $0.hasSuffix(".distcp") }) {
      return (
        "a checkpoint of torch.distributed",
        "python3 -m torch.distributed.checkpoint.format_utils dcp_to_torch \(folder) model.pt puts it together"
      )
    }
    if names.isEmpty { return ("an empty folder", nil) }
    let models = names.filter(Self.isModelName)
    switch models.count {
    case 0:
      let inner = names.lazy.compactMap { name in
        Folder.names(in: "\(folder)/\(name)").sorted().first(where: Self.isModelName)
          .map { "\(name)/\($0)" }
      }.first
      return ("a folder", inner.map { "perhaps \(folder)/\($0)" })
    case 1: return ("a folder", "perhaps \(folder)/\(models[0])")
    default:
      return (
        "a folder of \(models.count) files that may be models",
        "name one of them: \(excerpt(models.map { "\(folder)/\($0)" }, limit: 6))"
      )
    }
  }
}
