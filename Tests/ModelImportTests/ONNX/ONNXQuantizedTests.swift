import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// Models with weights of 8 bits against what ONNX Runtime answers with them: see Tests/Fixtures/scripts/onnx_quantized.py.
@Suite struct ONNXQuantizedTests {
  static let cases = Fixtures.folders("onnx_quantized")

  @Test func casesAreThere() { #expect(Self.cases.count == 8) }

  /// What ONNX Runtime rounds on the way is not rounded here: IMPORT.md tells how far the answers may be from each other.
  private static let tolerance: Float = 0.02

  @Test(arguments: cases)
  func answersAreNear(name: String) throws {
    let draft = try importedFolder(
      ImportRequest(files: [Fixtures.path("onnx_quantized/\(name)/model.onnx")]))
    #expect(draft.notes.contains { $0.contains("8 bits") })
    let graph = try ModelGraph(draft.model())
    let output = try #require(graph.model.outputs.first).name
    for one in try Fixtures.cases("onnx_quantized/\(name)/io.json") {
      let sequence = try one.sequence(for: graph.model)
      let answer = Runner.run(graph, [sequence], selections: [.all])[0][0]
      let expected = try #require(one.outputs[output]?.values)
      try #require(answer.count == expected.count)
      for (a, b) in zip(answer, expected) {
        #expect(abs(a - b) <= Self.tolerance * max(1, abs(b)))
      }
    }
  }

  /// The file's own graph, which `--check` computes, has ONNX Runtime's operators too.
  @Test(arguments: cases)
  func graphsCanBeChecked(name: String) throws {
    let draft = try importedFolder(
      ImportRequest(files: [Fixtures.path("onnx_quantized/\(name)/model.onnx")]))
    let reference = try #require(draft.reference)
    let (input, output) = (draft.description.inputs[0].name, draft.description.outputs[0].name)
    for one in try Fixtures.cases("onnx_quantized/\(name)/io.json") {
      let given = try #require(one.inputs[input])
      let numbers = try #require(given.values ?? given.tokens?.map(Float.init))
      let expected = try #require(one.outputs[output])
      let found = try reference.values(
        for: [input: numbers], steps: given.shape?[0] ?? numbers.count)
      let answer = try #require(found.last { $0.name == output }).numbers
      try #require(answer.count == expected.values.count)
      for (a, b) in zip(answer, expected.values) {
        #expect(abs(Float(a) - b) <= Self.tolerance * max(1, abs(b)))
      }
    }
  }
}
