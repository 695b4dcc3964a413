import ModelFormat
import TestSupport
import Testing

@testable import Inference

/// Each output has a form of its own: every step, or one vector.
@Suite struct OutputFormTests {
  /// An encoder with its steps, its states by layer, pools, and what follows `last`.
  private func encoder() throws -> ModelGraph {
    try ModelGraph(Model(folder: Fixtures.path("forms/encoder")))
  }

  @Test func formsAreTheOutputsOwn() throws {
    let graph = try encoder()
    let forms = Dictionary(
      uniqueKeysWithValues: graph.model.outputs.enumerated().map {
        ($1.name, graph.answersEveryStep(output: $0))
      })
    #expect(
      forms == [
        "h": true, "y": true, "z": true, "m": false, "s": false, "both": false, "states": false,
        "h.hidden": false, "h.cell": false, "h.hidden.0": false, "h.cell.1": false,
      ])
    // A sequence by its steps; of what follows `last` the last.
    let all = ["h", "y"]
    #expect(
      graph.defaultSelection
        == .each(graph.model.outputs.map { all.contains($0.name) ? .all : .last }))
    #expect(graph.supports(.all))
    #expect(
      !graph.supports(.each(graph.model.outputs.map { $0.name == "m" ? .all : .last })))
    #expect(!graph.supports(.each([.all])))
  }

  @Test(arguments: [1, 7])
  func sizesAreKnownBefore(steps: Int) throws {
    let graph = try encoder()
    var noise = Noise(seed: 2)
    let sequence = try noise.sequence(for: graph.model, steps: steps)
    for selection in [Selection.last, .all, graph.defaultSelection] {
      let found = Runner.run(graph, [sequence], selections: [selection])[0]
      #expect(
        graph.answerFloatCount(selection: selection, stepCount: steps)
          == found.reduce(0) { $0 + $1.count })
    }
    let forecaster = try ModelGraph(SmallModels.forecaster())
    #expect(
      forecaster.answerFloatCount(selection: .last, stepCount: steps, horizon: 9) == 9)
  }

  /// Random graphs, each rider with wishes of its own: what it gets alone, whole, by the scalar kernels, to the bit.
  @Test(arguments: 1...20, Precision.allCases)
  func neitherBatchNorChunkNorInstructionSetMatters(seed: UInt64, precision: Precision) throws {
    var random = try RandomModel(seed: seed &+ 500)
    var noise = Noise(seed: seed)
    let scalar = try ModelGraph(
      random.model, precision: precision, kernels: #require(Kernels(.scalar)))
    let sequences = try (0..<6).map { _ in
      try random.sequence(steps: .random(in: 1...24, using: &noise))
    }
    let selections = sequences.map { _ in noise.selection(for: scalar) }
    let alone = zip(sequences, selections).map {
      Runner.run(scalar, [$0], selections: [$1])[0].bits
    }
    for set in InvarianceTests.instructionSets {
      let graph = try ModelGraph(
        random.model, precision: precision, kernels: #require(Kernels(set)))
      let found = Runner.run(graph, sequences, selections: selections) { _, remaining in
        graph.isStreamable ? Swift.min(remaining, .random(in: 0...9, using: &noise)) : remaining
      }
      #expect(found.map(\.bits) == alone)
    }
  }

  /// The graphs above hold what they are meant to.
  @Test func randomGraphsHaveEveryForm() throws {
    var (mixed, reverse, cellAlone, layerStates, oneBias, bare) = (0, 0, 0, 0, 0, 0)
    for seed in 501...520 as ClosedRange<UInt64> {
      let graph = try ModelGraph(RandomModel(seed: seed).model)
      let forms = Set(
        graph.model.outputs.indices.map { graph.answersEveryStep(output: $0) })
      mixed += forms.count == 2 ? 1 : 0
      for node in graph.model.nodes {
        reverse += node.recurrent?.isReverse == true ? 1 : 0
        oneBias += node.recurrent?.bias == .one ? 1 : 0
        cellAlone += node.initialHidden == nil && node.initialCell != nil ? 1 : 0
        bare += node.weights == "" ? 1 : 0
      }
      layerStates +=
        zip(graph.nodes, graph.model.nodes).contains { node, described in
          node.finalLayers.contains { $0 + 1 < described.recurrent?.layers ?? 0 }
        } ? 1 : 0
    }
    for count in [mixed, reverse, cellAlone, layerStates, oneBias, bare] { #expect(count > 0) }
  }
}
