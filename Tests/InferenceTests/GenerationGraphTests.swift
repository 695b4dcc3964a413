import Inference
import ModelFormat
import TestSupport
import Testing

/// Which models continue text, and on what scale their scores are.
@Suite struct GenerationGraphTests {
  @Test(arguments: [
    (SmallModels.Scores.logits, TokenSampler.Scale.logarithm), (.logarithms, .logarithm),
    (.probabilities, .probability),
  ]) func scalesAreKnown(scores: SmallModels.Scores, scale: TokenSampler.Scale) throws {
    let graph = try ModelGraph(SmallModels.writer(scores: scores))
    let found = try #require(graph.generation)
    #expect(found.output == 0 && found.input == 0 && found.scale == scale)
    #expect(graph.forecast == nil && graph.forecastSteps == nil)
  }

  /// An embedding, `ops` one after another, and what the last of them foretells.
  private func writer(_ ops: [ModelDescription.Op], more: [ModelDescription.Input] = []) throws
    -> ModelGraph
  {
    let nodes = ops.enumerated().map {
      ModelDescription.Node(name: "n\($0)", op: $1, inputs: [$0 == 0 ? "e" : "n\($0 - 1)"])
    }
    let inputs = more.map(\.name)
    return try ModelGraph(
      Model(
        description: ModelDescription(
          name: "w", version: "1",
          inputs: [.init(name: "t", kind: .tokens(size: 3, vocabulary: nil))] + more,
          nodes: [.init(name: "e", op: .embedding, inputs: ["t"])] + nodes,
          outputs: [.init(name: nodes.last!.name, forecasts: "t")]
            + inputs.map { .init(name: $0) }),
        tensors: TensorFile(
          bytes: TensorFile.serialize([("e.weight", [3, 3], [Float](repeating: 0, count: 9))]))))
  }

  /// The last step of probabilities is probabilities.
  @Test(
    arguments: [
      ([.softmax, .last], .probability), ([.last, .softmax], .probability),
      ([.softmax, .last, .affine(scale: [2], shift: nil)], .logarithm),
      ([.softmax, .logSoftmax], .logarithm), ([.tanh, .last], .logarithm),
    ] as [([ModelDescription.Op], TokenSampler.Scale)])
  func scalesAreFollowed(ops: [ModelDescription.Op], scale: TokenSampler.Scale) throws {
    #expect(try #require(try writer(ops).generation).scale == scale)
  }

  @Test func othersContinueNoText() throws {
    #expect(try ModelGraph(SmallModels.forecaster()).generation == nil)
    // A second input has no next step.
    let more = ModelDescription.Input(name: "x", kind: .features(size: 1, mean: nil, scale: nil))
    #expect(try writer([.softmax], more: [more]).generation == nil)
    #expect(try writer([.softmax]).generation != nil)
  }

  /// One that needs the whole text continues it all the same.
  @Test func aTokenFollowsThePrompt() throws {
    let model = try SmallModels.writer(isBidirectional: true)
    let graph = try ModelGraph(model)
    #expect(!graph.isStreamable && graph.generation?.scale == .logarithm)
    let prompt = try InputSequence([.tokens([3, 1, 4])], for: model)
    let next = InputSequence(appending: 9, to: 0, of: prompt)
    #expect(next.values == [.tokens([3, 1, 4, 9])] && next.stepCount == 4)
  }

  @Test func aTokenTakesThePlaceOfThePrompt() throws {
    let model = try SmallModels.writer()
    let prompt = try InputSequence([.tokens([3, 1, 4])], for: model)
    let next = InputSequence(replacing: 0, of: prompt, with: 9)
    #expect(next.values == [.tokens([9])] && next.stepCount == 1)
    #expect(prompt.values == [.tokens([3, 1, 4])] && prompt.stepCount == 3)
  }
}
