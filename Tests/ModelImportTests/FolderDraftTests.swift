import ModelFormat
import Testing

@testable import ModelImport

@Suite struct FolderDraftTests {
  @Test(arguments: [
    ("forecast", "forecast"), ("my model", "my-model"), ("größe", "gr--e"), ("..x", "x"),
    ("", "model"), ("...", "model"), ("a/b", "a-b"), ("²", "-"),
    (String(repeating: "a", count: 200), String(repeating: "a", count: 100)),
  ])
  func names(text: String, name: String) {
    #expect(FolderDraft.name(from: text) == name)
  }

  @Test func aDraftIsCheckedAsAFolderIs() throws {
    var draft = FolderDraft(name: "scale")
    draft.description.inputs = [.init(name: "x", kind: .features(size: 1, mean: nil, scale: nil))]
    draft.description.nodes = [.init(name: "y", op: .linear, inputs: ["x"])]
    draft.description.outputs = [.init(name: "y")]
    #expect(throws: ModelError.self) { try draft.model() }
    draft.add(tensor: "y.weight", shape: [1, 1], [2])
    draft.add(tensor: "y.weight", shape: [1, 1], [3])
    #expect(draft.hasTensor("y.weight"))
    _ = try draft.model()
  }

  @Test func whatNoFormatKnowsIsNamed() throws {
    let path = "/dev/null"
    #expect(throws: ImportError.self) { try importedFolder(ImportRequest(files: [path])) }
    #expect(throws: ImportError.self) { try importedFolder(ImportRequest(files: [])) }
  }
}
