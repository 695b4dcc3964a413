import HTTPCore
import ModelFormat
import Testing

@testable import carousel

@Suite struct ExampleQuestionTests {
  private func example(_ inputs: (String, ModelDescription.Input.Kind)...) -> String? {
    ExampleQuestion(
      for: ModelDescription(
        name: "m", version: "1", inputs: inputs.map { .init(name: $0.0, kind: $0.1) }, nodes: [],
        outputs: [])
    )?.json
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
    #expect(ExampleQuestion(for: description)?.json == #"{"inputs": [4, 2]}"#)
  }

  @Test func wideInputsHaveNone() {
    #expect(example(("x", .features(size: 16, mean: nil, scale: nil))) != nil)
    #expect(example(("x", .features(size: 17, mean: nil, scale: nil))) == nil)
  }

  @Test func theModelAnswersIt() throws {
    let model = OfflineModel(try BundledModel.graph())
    let question = try #require(ExampleQuestion(for: model.graph.model.description)).json
    #expect(model.answer(to: Array(question.utf8)).status == .ok)
  }
}
