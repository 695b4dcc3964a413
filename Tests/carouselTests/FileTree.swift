import FoundationEssentials
import Glibc
import Testing

/// A folder with files in it, which goes with the value.
final class FileTree {
  let path: String

  init(_ files: [String: String]) throws {
    var template = Array("/tmp/carousel-files-XXXXXX".utf8CString)
    try #require(template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) } != nil)
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
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

  deinit {
    try? FileManager.default.removeItem(atPath: path)
  }
}
