import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

@Suite struct OutputFolderTests {
  private let folder = TemporaryFolder()

  private func file(_ name: String) throws -> String {
    let path = "\(folder.path)/\(name)"
    try OpenFile.write(Array("x".utf8), to: path)
    return path
  }

  private func make(
    _ path: String, replaces: Bool = false, sources: [String] = []
  ) throws(ImportError) -> Bool {
    try OutputFolder(path: path, replaces: replaces, sources: sources).make()
  }

  private func message(
    _ path: String, replaces: Bool = false, sources: [String] = []
  ) throws -> String {
    try #require(throws: ImportError.self) {
      try make(path, replaces: replaces, sources: sources)
    }.description
  }

  @Test func aNewOrEmptyFolderIsTaken() throws {
    let path = "\(folder.path)/new"
    #expect(try make(path))
    #expect(try !make(path))
    OutputFolder(path: path, replaces: false, sources: []).removeIfEmpty()
    #expect(try make(path))
  }

  @Test func filesBesideStay() throws {
    let path = try file("notes.txt")
    #expect(try !make(folder.path))
    OutputFolder(path: folder.path, replaces: false, sources: []).removeIfEmpty()
    #expect(try OpenFile(path: path).size == 1)
  }

  @Test(arguments: [["model.json"], ["model.safetensors"], ["model.json", "model.safetensors"]])
  func aModelIsReplacedIfThatIsAskedFor(names: [String]) throws {
    for name in names { _ = try file(name) }
    let text = try message(folder.path)
    #expect(text.contains("found \(names.joined(separator: " and ")) in it"))
    #expect(text.contains("--replace"))
    #expect(try !make(folder.path, replaces: true))
  }

  /// Weights imported into their own folder, by whatever path.
  @Test func aSourceIsNeverReplaced() throws {
    let source = try file("model.safetensors")
    for path in [source, "\(folder.path)/./model.safetensors"] {
      for replaces in [false, true] {
        let text = try message(folder.path, replaces: replaces, sources: ["/dev/null", path])
        #expect(text.hasPrefix(path) && text.contains("name another folder"), "\(text)")
      }
    }
  }

  @Test func whatCanBeNoFolderIsTold() throws {
    let path = try file("model.onnx")
    #expect(try message(path).contains("carousel-import FILE -o FOLDER"))
    #expect(try message("\(path)/x").contains("can't be made"))
    #expect(try message("\(folder.path)/a/b").contains("mkdir -p"))
  }
}
