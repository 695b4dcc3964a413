import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// Models as exporters write them in ONNX, against what ONNX Runtime answers: see Tests/Fixtures/scripts/onnx_imports.py.
@Suite struct ONNXImportTests {
  static let cases = Fixtures.folders("onnx_imports")

  @Test func casesAreThere() { #expect(Self.cases.count >= 60) }

  @Test(arguments: cases)
  func imported(name: String) throws {
    let draft = try importedFolder(
      ImportRequest(files: [Fixtures.path("onnx_imports/\(name)/model.onnx")]))
    try expectFinalAnswers(of: draft, as: "onnx_imports/\(name)/io.json")
  }

  @Test(arguments: ["largest_script", "largest_dynamo"])
  func theLargestElementIsALabel(name: String) throws {
    let draft = try importedFolder(
      ImportRequest(files: [Fixtures.path("onnx_imports/\(name)/model.onnx")]))
    #expect(draft.description.outputs.map(\.name) == ["y"])
    #expect(draft.description.outputs.map(\.decode) == [.argmax])
  }

  /// Of an output that has an answer a step where the reference has one, that is the last.
  private func expectFinalAnswers(of draft: FolderDraft, as cases: String) throws {
    let graph = try ModelGraph(draft.model())
    for (index, expected) in try Fixtures.cases(cases).enumerated() {
      let answers = SoleRider.answer(graph, try expected.sequence(for: graph.model))
      for (output, answer) in zip(graph.model.outputs, answers) {
        let reference = try #require(expected.outputs[output.name])
        try #require(answer.count % reference.values.count == 0, "\(output.name): \(answer.count)")
        for (a, b) in zip(answer.suffix(reference.values.count), reference.values) {
          #expect(abs(a - b) <= 1e-5 * max(1, abs(b)), "\(output.name) of case \(index)")
        }
      }
    }
  }
}
