import JSON

/// What a folder has instead of a missing model file, for an error.
package enum FolderFinding: Sendable, Equatable {
  /// Subfolders that are models, if `model.json` is missing.
  case models([String])
  /// Files that may be the missing one under another name.
  case files([String])
  case none

  /// - Parameter names: the names in the folder, `name` not among them.
  init(of names: [String], inFolder folder: String, missing name: String) {
    let files: [String]
    if name == Model.descriptionFile {
      let models = names.filter { Folder.names(in: "\(folder)/\($0)").contains(name) }
      guard models.isEmpty else {
        self = .models(models)
        return
      }
      // Many programs write .json files, so only a similar name counts.
      files = nearestName(to: name, among: names).map { [$0] } ?? []
    } else {
      files = names.filter { $0.hasSuffix(".safetensors") }
    }
    self = files.isEmpty ? .none : .files(files)
  }
}
