import Glibc
import TestSupport
import Testing

/// A folder with files in it, which goes with the value.
final class FileTree {
  private let root = TemporaryFolder()
  var path: String { root.path }

  init(_ files: [String: String]) throws {
    for (name, text) in files {
      var folder = path
      for part in name.split(separator: "/").dropLast() {
        folder += "/\(part)"
        mkdir(folder, 0o755)
      }
      let file = try #require(fopen("\(path)/\(name)", "w"))
      fputs(text, file)
      fclose(file)
    }
  }
}
