import Glibc
import Testing

@testable import carousel

@Suite struct FileReadingTests {
  @Test func theWholeFile() throws {
    let bytes = try readFile(#filePath)
    #expect(bytes.starts(with: Array("import Glibc\n".utf8)))
    #expect(bytes.last == UInt8(ascii: "\n"))
  }

  @Test func errorsNameThePath() {
    #expect(throws: CarouselError.file(path: "/nonexistent", code: 2)) {
      try readFile("/nonexistent")
    }
    #expect(throws: CarouselError.file(path: "/", code: 21)) { try readFile("/") }
    #expect(throws: CarouselError.file(path: "/nonexistent", code: 2)) {
      try modelFolders(in: "/nonexistent")
    }
  }

  @Test func foldersThatHoldAModel() throws {
    let parent = BundledModel.folder.split(separator: "/", omittingEmptySubsequences: false)
      .dropLast().joined(separator: "/")
    let folders = try modelFolders(in: parent)
    #expect(folders.contains(BundledModel.folder))
    #expect(folders == folders.sorted())
    #expect(try modelFolders(in: BundledModel.folder).isEmpty)
  }

  /// A link that leads nowhere is no model; one that can't be followed may be, and is told.
  @Test func aFolderThatCantBeRead() throws {
    var template = Array("/tmp/carousel-tests-XXXXXX".utf8CString)
    try #require(template.withUnsafeMutableBufferPointer { mkdtemp($0.baseAddress!) } != nil)
    let parent = String(decoding: template.dropLast().map(UInt8.init), as: UTF8.self)
    defer { rmdir(parent) }
    try #require(symlink("/nonexistent", "\(parent)/nowhere") == 0)
    defer { unlink("\(parent)/nowhere") }
    #expect(try modelFolders(in: parent).isEmpty)
    try #require(symlink("loop", "\(parent)/loop") == 0)
    defer { unlink("\(parent)/loop") }
    #expect(throws: CarouselError.file(path: "\(parent)/loop/model.json", code: ELOOP)) {
      try modelFolders(in: parent)
    }
  }
}
