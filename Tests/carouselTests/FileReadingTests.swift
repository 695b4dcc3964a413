import Glibc
import TestSupport
import Testing

@testable import carousel

@Suite struct FileReadingTests {
  @Test func theWholeFile() throws {
    let bytes = try readFile(#filePath)
    #expect(bytes.starts(with: Array("import Glibc\n".utf8)))
    #expect(bytes.last == UInt8(ascii: "\n"))
  }

  /// Neither waited for nor read without end.
  @Test func filesOfSettingsAreRegular() throws {
    let folder = TemporaryFolder()
    let pipe = folder.path + "/pipe"
    try #require(mkfifo(pipe, 0o600) == 0)
    for (path, kind) in [(pipe, "a pipe"), ("/dev/zero", "a device"), (folder.path, "a folder")] {
      let expected = CarouselError.notRegular(path: path, kind: kind)
      #expect(throws: expected) { try readSettingFile(path) }
      #expect(throws: expected) { try TokenFile(path: path) }
      #expect(throws: expected) { try SettingsFile(path: path) }
      let keys = #expect(throws: CarouselError.self) { try stateSealing(byKeysIn: path) }
      #expect(
        "\(try #require(keys))"
          == "session_store_keys: \(path): found \(kind), expected a regular file")
    }
    #expect(try readSettingFile(#filePath) == readFile(#filePath))
  }

  @Test func longFilesOfSettingsAreRefused() throws {
    let folder = TemporaryFolder()
    let path = folder.path + "/long"
    fclose(fopen(path, "w"))
    try #require(truncate(path, maxSettingFileBytes + 1) == 0)
    #expect(
      throws: CarouselError.longFile(
        path: path, found: maxSettingFileBytes + 1, limit: maxSettingFileBytes)
    ) { try readSettingFile(path) }
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
