import Glibc
import ModelFormat

/// The folder that an import writes. A model that is in it already is replaced, but its description is kept under another
/// name, as it may have been edited by hand.
package struct OutputFolder {
  /// The name under which the description of a model that was there is kept.
  package static let keptFile = Model.descriptionFile + ".old"

  package let path: String
  /// The files that are imported, or read for it: none of them may be written over.
  let sources: [String]

  package init(path: String, sources: [String]) {
    self.path = path
    self.sources = sources
  }

  /// Checks that there is no file at the folder's path, as where two arguments have each other's place.
  package func checkIsNoFile() throws(ImportError) {
    guard let place = FileStatus(path), !place.isFolder else { return }
    throw ImportError(
      file: path, problem: "found a file, expected the folder to write, new or empty",
      remedy: "the model's file has no option before it: carousel-import FILE -o FOLDER")
  }

  /// Makes the folder, or checks the one that is there.
  ///
  /// - Returns: whether the folder is new.
  /// - Throws: if it can't be made, is a file, or has a source where the model would be written.
  package func make() throws(ImportError) -> Bool {
    // SAFETY: the path is a zero-terminated string for the length of the call.
    if unsafe mkdir(path, 0o755) == 0 { return true }
    let code = errno
    guard code == EEXIST else {
      let isMissing = code == ENOENT && path.dropLast().contains("/")
      throw ImportError(
        file: path,
        problem: "the folder can't be made: \(errorText(code))",
        remedy: isMissing ? "make the folder around it first, mkdir -p" : nil)
    }
    try checkIsNoFile()
    for name in [Model.descriptionFile, Model.tensorFile] {
      guard let status = FileStatus("\(path)/\(name)") else { continue }
      if let source = sources.first(where: { FileStatus($0) == status }) {
        throw ImportError(
          file: source,
          problem: "found this file in the folder to write, where it would be replaced",
          remedy: "name another folder: -o FOLDER")
      }
    }
    return false
  }

  /// Writes the model, and keeps another description that is there as `keptFile`.
  ///
  /// - Returns: a note of the description that is kept; nil if there was none, or the same.
  package func write(_ draft: FolderDraft) throws(ModelError) -> String? {
    let place = "\(path)/\(Model.descriptionFile)"
    guard FileStatus(place) != nil else {
      try draft.write(to: path)
      return nil
    }
    let old = try OpenFile(path: place).read()
    let isSame = old == Array(draft.description.json.utf8)
    if !isSame { try OpenFile.write(old, to: "\(path)/\(Self.keptFile)") }
    try draft.write(to: path)
    return isSame
      ? nil
      : "\(path): the model that was there is replaced; its \(Model.descriptionFile) is \(Self.keptFile) now"
  }

  /// Removes the folder if it is empty.
  package func removeIfEmpty() {
    // SAFETY: the path is a zero-terminated string for the length of the call.
    unsafe rmdir(path)
  }
}

/// Which file is at a path. Equal for two paths of one file.
struct FileStatus: Equatable {
  private let device: UInt
  private let number: UInt
  private let mode: mode_t

  /// Nil if there is nothing at `path`, or nothing that may be seen.
  init?(_ path: String) {
    var status = stat()
    // SAFETY: the path is a zero-terminated string for the length of the call, which writes one `stat`.
    guard unsafe stat(path, &status) == 0 else { return nil }
    (device, number, mode) = (UInt(status.st_dev), UInt(status.st_ino), status.st_mode)
  }

  var isFolder: Bool { mode & S_IFMT == S_IFDIR }
}
