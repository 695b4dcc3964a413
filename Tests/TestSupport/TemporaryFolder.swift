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

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
