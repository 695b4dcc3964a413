import JSON

/// What stands in a folder that lacks one of a model's files.
package enum FolderFinding: Sendable, Equatable {
  /// Folders that hold models, where `model.json` is missing.
  case models([String])
  /// Files that may be the one, under other names.
  case files([String])
  case none

  /// - Parameter names: what the folder holds, without the file called `name`.
  init(of names: [String], inFolder folder: String, missing name: String) {
    let files: [String]
    if name == Model.descriptionFile {
      let models = names.filter { Folder.names(in: "\(folder)/\($0)").contains(name) }
      guard models.isEmpty else {
        self = .models(models)
        return
      }
      // Other programs' .json files are many.
      files = nearestName(to: name, among: names).map { [$0] } ?? []
    } else {
      files = names.filter { $0.hasSuffix(".safetensors") }
    }
    self = files.isEmpty ? .none : .files(files)
  }
}
