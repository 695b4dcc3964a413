import Testing

@testable import carousel

@Suite struct FileReadingTests {
  @Test func theWholeFile() throws {
    let bytes = try readFile(#filePath)
    #expect(bytes.starts(with: Array("import Testing".utf8)))
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
}
