import Testing

@testable import ModelFormat

/// What `forecasts` may name: an input of features, or one of tokens with as many ids as the output has scores.
@Suite struct ForecastsTests {
  private typealias Description = ModelDescription

  private func model(
    _ inputs: [Description.Input], _ nodes: [Description.Node], forecasts: String,
    tensors: [String: [Int]]
  ) throws -> Model {
    try Model(
      description: Description(
        name: "m", version: "1", inputs: inputs, nodes: nodes,
        outputs: [.init(name: "y", forecasts: forecasts)]),
      tensors: zeros(tensors))
  }

  /// Seven tokens, and as many scores as `scores` says.
  private func writer(scores: Int) throws -> Model {
    try model(
      [.init(name: "t", kind: .tokens(size: 7, vocabulary: nil))],
      [
        .init(name: "e", op: .embedding, inputs: ["t"]),
        .init(name: "y", op: .linear, inputs: ["e"]),
      ], forecasts: "t", tensors: ["e.weight": [7, 3], "y.weight": [scores, 3]])
  }

  @Test func tokensAreForetoldByAScoreEach() throws {
    #expect(try writer(scores: 7).outputs[0].forecasts == 0)
  }

  @Test(arguments: [1, 6, 8, 14]) func otherSizesAreRefused(scores: Int) {
    expectError(mentioning: [
      "outputs[0].forecasts: expected one of as many as the output has scores, \(scores), "
        + "found an input of 7 tokens"
    ]) { _ = try writer(scores: scores) }
  }

  /// The second of two inputs.
  @Test func theInputIsFoundByName() throws {
    let found = try model(
      [
        .init(name: "x", kind: .features(size: 3, mean: nil, scale: nil)),
        .init(name: "t", kind: .tokens(size: 7, vocabulary: nil)),
      ],
      [
        .init(name: "e", op: .embedding, inputs: ["t"]),
        .init(name: "both", op: .concat, inputs: ["e", "x"]),
        .init(name: "y", op: .linear, inputs: ["both"]),
      ], forecasts: "t", tensors: ["e.weight": [7, 3], "y.weight": [7, 6]])
    #expect(found.outputs[0].forecasts == 1)
  }

  @Test(arguments: ["v", "y", "e"]) func otherValuesAreRefused(name: String) {
    expectError(mentioning: [
      "outputs[0].forecasts: expected the name of a features or tokens input (\"t\"), found \"\(name)\""
    ]) {
      _ = try model(
        [
          .init(name: "t", kind: .tokens(size: 7, vocabulary: nil)),
          .init(name: "v", kind: .vector(size: 7)),
        ],
        [
          .init(name: "e", op: .embedding, inputs: ["t"]),
          .init(name: "end", op: .last, inputs: ["e"]),
          .init(name: "y", op: .add, inputs: ["end", "v"]),
        ], forecasts: name, tensors: ["e.weight": [7, 7]])
    }
  }
}
