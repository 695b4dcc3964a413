import Inference
import ModelFormat
import TestSupport
import Testing

@testable import ModelImport

/// ONNX's own cases of its operators LSTM, GRU and RNN, one node each whose weights are inputs: see Tests/Fixtures/scripts/onnx_cases.py.
@Suite struct ONNXOperatorTests {
  static let cases = Fixtures.folders("onnx")

  @Test func casesAreThere() { #expect(Self.cases.count == 18) }

  /// What the case calls what the model folder beside it, made by hand of the same case, calls h.
  private static let outputs = ["Y": "h", "Y_h": "h.hidden", "Y_c": "h.cell"]

  @Test(arguments: cases)
  func answersAreThoseOfTheCase(name: String) throws {
    let folder = Fixtures.path("onnx/\(name)")
    var request = ImportRequest(files: ["\(folder)/operator.onnx"])
    let files = Set(Fixtures.folders("onnx/\(name)"))
    request.fixedInputs = ["W", "R", "B", "P"].filter { files.contains("\($0).npy") }
      .map { "\($0)=\(folder)/\($0).npy" }
    // Initial states stay inputs, as the case has them.
    request.keepsStates = true
    let draft = try importedFolder(request)
    let graph = try ModelGraph(draft.model())
    let cases = try Fixtures.cases("onnx/\(name)/io.json")
    try #require(!cases.isEmpty)
    for one in cases {
      let values = try graph.model.description.inputs.map { input in
        let given = try #require(one.inputs[input.name == "X" ? "x" : input.name]?.values)
        if case .vector = input.kind { return InputSequence.Values.vector(given) }
        return .features(given)
      }
      #expect(values.count == one.inputs.count)
      let sequence = try InputSequence(values, for: graph.model)
      let answers = Runner.run(graph, [sequence], selections: [.all])[0]
      #expect(
        Set(graph.model.outputs.compactMap { Self.outputs[$0.name] }) == Set(one.outputs.keys))
      for (output, answer) in zip(graph.model.outputs, answers) {
        let expected = try #require(one.outputs[Self.outputs[output.name] ?? ""]?.values)
        try #require(answer.count == expected.count)
        for (a, b) in zip(answer, expected) {
          #expect(abs(a - b) <= 1e-5 * max(1, abs(b)), "\(output.name)")
        }
      }
    }
  }
}
