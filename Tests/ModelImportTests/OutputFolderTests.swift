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

  private func draft() -> FolderDraft {
    var draft = FolderDraft(name: "scale")
    draft.description.inputs = [.init(name: "x", kind: .features(size: 1, mean: nil, scale: nil))]
    draft.description.nodes = [.init(name: "y", op: .linear, inputs: ["x"])]
    draft.description.outputs = [.init(name: "y")]
    draft.add(tensor: "y.weight", shape: [1, 1], [2])
    return draft
  }

  private func make(_ path: String, sources: [String] = []) throws(ImportError) -> Bool {
    try OutputFolder(path: path, sources: sources).make()
  }

  private func message(_ path: String, sources: [String] = []) throws -> String {
    try #require(throws: ImportError.self) { try make(path, sources: sources) }.description
  }

  @Test func aNewOrEmptyFolderIsTaken() throws {
    let path = "\(folder.path)/new"
    #expect(try make(path))
    #expect(try !make(path))
    OutputFolder(path: path, sources: []).removeIfEmpty()
    #expect(try make(path))
  }

  @Test func filesBesideStay() throws {
    let path = try file("notes.txt")
    #expect(try !make(folder.path))
    OutputFolder(path: folder.path, sources: []).removeIfEmpty()
    #expect(try OpenFile(path: path).size == 1)
  }

  /// The note of a second import into a folder, and the description that it keeps.
  @Test(arguments: ["", "edited by hand"])
  func aModelIsReplacedAndItsDescriptionKept(edit: String) throws {
    let output = OutputFolder(path: folder.path, sources: [])
    let draft = draft()
    #expect(try output.write(draft) == nil)
    let path = "\(folder.path)/model.json"
    let written = try OpenFile(path: path).read()
    if !edit.isEmpty { try OpenFile.write(Array(edit.utf8), to: path) }
    let note = try output.write(draft)
    #expect(note?.contains("model.json.old") == (edit.isEmpty ? nil : true))
    #expect(try OpenFile(path: path).read() == written)
    let kept = try? OpenFile(path: "\(folder.path)/\(OutputFolder.keptFile)").read()
    #expect(kept == (edit.isEmpty ? nil : Array(edit.utf8)))
  }

  /// Weights imported into their own folder, by whatever path.
  @Test func aSourceIsNeverReplaced() throws {
    let source = try file("model.safetensors")
    for path in [source, "\(folder.path)/./model.safetensors"] {
      let text = try message(folder.path, sources: ["/dev/null", path])
      #expect(text.hasPrefix(path) && text.contains("name another folder"), "\(text)")
    }
  }

  @Test func whatCanBeNoFolderIsTold() throws {
    let path = try file("model.onnx")
    #expect(try message(path).contains("carousel-import FILE -o FOLDER"))
    #expect(try message("\(path)/x").contains("can't be made"))
    #expect(try message("\(folder.path)/a/b").contains("mkdir -p"))
  }
}
