import Glibc
import Testing

@testable import ModelFormat

struct FileAccessTests {
  private let path = "/tmp/carousel-file-access-\(getpid())-\(UInt32.random(in: 0 ... .max))"

  private func status(_ path: String) -> mode_t {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : 0
  }

  /// A file that is there is replaced: who has it open goes on with the old one.
  @Test func aFileIsReplaced() throws {
    defer { OpenFile.remove(path) }
    try OpenFile.write([1, 2, 3], to: path)
    let old = try OpenFile(path: path)
    try OpenFile.checkWritable(path)
    try OpenFile.write([4], to: path)
    #expect(try old.read() == [1, 2, 3])
    #expect(try OpenFile(path: path).read() == [4])
  }

  /// A link stays one, whatever it leads to; of a device nothing is left but itself.
  @Test func whatIsNoFileIsWrittenTo() throws {
    let target = path + ".target"
    defer {
      OpenFile.remove(path)
      OpenFile.remove(target)
    }
    try OpenFile.write([1, 2, 3], to: target)
    #expect(symlink(target, path) == 0)
    try OpenFile.checkWritable(path)
    try OpenFile.write([4], to: path)
    #expect(status(path) == S_IFLNK)
    #expect(try OpenFile(path: target).read() == [4])

    OpenFile.remove(path)
    #expect(symlink("/dev/null", path) == 0)
    try OpenFile.write([5], to: path)
    #expect(status(path) == S_IFLNK)
    #expect(status("/dev/null") == S_IFCHR)
  }
}
