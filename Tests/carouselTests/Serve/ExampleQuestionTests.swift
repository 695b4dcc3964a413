import HTTPCore
import Inference
import ModelFormat
import Testing

@testable import carousel

@Suite struct ExampleQuestionTests {
  private func example(
    _ inputs: (String, ModelDescription.Input.Kind)..., steps: Int = 3
  ) -> String {
    question(inputs, steps: steps).json
  }

  private func question(
    _ inputs: [(String, ModelDescription.Input.Kind)], steps: Int
  ) -> ExampleQuestion {
    ExampleQuestion(
      for: ModelDescription(
        name: "m", version: "1", inputs: inputs.map { .init(name: $0.0, kind: $0.1) }, nodes: [],
        outputs: []), steps: inputs.map { _ in steps })
  }

  @Test func everyKind() {
    #expect(
      example(("x", .features(size: 1, mean: [3.5], scale: nil))) == #"{"inputs": [3.5, 3.5, 3.5]}"#
    )
    #expect(
      example(("x", .features(size: 2, mean: nil, scale: nil)))
        == #"{"inputs": [[0.0, 0.0], [0.0, 0.0], [0.0, 0.0]]}"#)
    #expect(example(("t", .tokens(size: 2, vocabulary: nil))) == #"{"inputs": [0, 1, 0]}"#)
    #expect(example(("t", .tokens(size: 5000, vocabulary: nil))) == #"{"inputs": [0, 1, 2]}"#)
    #expect(
      example(("t", .tokens(size: 9, vocabulary: nil)), ("v", .vector(size: 2)))
        == #"{"inputs": {"t": [0, 1, 2], "v": [0, 0]}}"#)
  }

  @Test func itsOwnExampleComesFirst() {
    let description = ModelDescription(
      name: "m", version: "1", example: "[4, 2]",
      inputs: [.init(name: "t", kind: .tokens(size: 9, vocabulary: nil))], nodes: [], outputs: [])
    #expect(ExampleQuestion(for: description, steps: [3]).json == #"{"inputs": [4, 2]}"#)
  }

  /// What would be long is made by Python.
  @Test(arguments: [
    (ModelDescription.Input.Kind.features(size: 17, mean: nil, scale: nil), 3, "[[0] * 17] * 3"),
    (.features(size: 16, mean: nil, scale: nil), 17, "[[0] * 16] * 17"),
    (.features(size: 1, mean: nil, scale: nil), 257, "[0] * 257"),
    (.tokens(size: 9, vocabulary: nil), 257, "[0] * 257"), (.vector(size: 17), 1, "[0] * 17"),
  ])
  func longInputs(kind: ModelDescription.Input.Kind, steps: Int, python: String) {
    let line = question([("x", kind)], steps: steps).command(to: "http://h/predict", options: " -k")
    #expect(
      line
        == "python3 -c 'import json; print(json.dumps({\"inputs\": \(python)}))' | curl -s http://h/predict -k -d @-"
    )
  }

  /// What is short is in the line itself.
  @Test func shortInputs() {
    let kind = ModelDescription.Input.Kind.features(size: 16, mean: nil, scale: nil)
    let line = question([("it's", kind), ("v", .vector(size: 1))], steps: 1)
      .command(to: "http://h/predict", options: "")
    #expect(line.hasPrefix("curl -s http://h/predict -d '{\"inputs\": {\"it'\\''s\": [[0.0, 0.0,"))
  }

  /// Of a model that takes sequences of some lengths alone, the question has one of them.
  @Test(arguments: [(5, "[0.0, 0.0, 0.0, 0.0, 0.0]"), (2, "[0.0, 0.0]")])
  func itHasTheStepsOfTheModel(steps: Int, inputs: String) throws {
    let input = ModelDescription.Input(
      name: "x", kind: .features(size: 1, mean: nil, scale: nil), steps: steps)
    let model = try Model(
      description: ModelDescription(
        name: "m", version: "1", inputs: [input],
        nodes: [.init(name: "y", op: .concat, inputs: ["x", "x"])], outputs: [.init(name: "y")]),
      tensors: TensorFile(bytes: TensorFile.serialize([])))
    let question = ExampleQuestion(for: model).json
    #expect(question == "{\"inputs\": \(inputs)}")
    #expect(
      OfflineModel(try ModelGraph(model)).answer(to: Array(question.utf8)).status == .ok)
  }

  @Test func theModelAnswersIt() throws {
    let model = OfflineModel(try BundledModel.graph())
    let question = ExampleQuestion(for: model.graph.model).json
    #expect(model.answer(to: Array(question.utf8)).status == .ok)
  }
}
