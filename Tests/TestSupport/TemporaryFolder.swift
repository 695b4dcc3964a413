import FoundationEssentials
import Glibc

/// A folder of a test's own; it goes with the value, and all that is in it.
package final class TemporaryFolder: Sendable {
  package let path: String

  package init() {
    let parent = FileManager.default.temporaryDirectory.path
    var template = Array("\(parent)/carousel-tests-XXXXXX".utf8CString)
    let made = template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) != nil }
    precondition(made, "\(parent) takes no folder")
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  /// Writes a file whose name no other has.
  package func file(_ text: String, ending: String = "json") throws -> String {
    let path = "\(path)/\(UUID()).\(ending)"
    try Data(text.utf8).write(to: URL(filePath: path))
    return path
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
