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
        graph.answerFloatCount(selection: selection, stepCounts: [steps])
          == found.reduce(0) { $0 + $1.count })
    }
    let forecaster = try ModelGraph(SmallModels.forecaster())
    #expect(
      forecaster.answerFloatCount(selection: .last, stepCounts: [steps], horizon: 9) == 9)
  }

  private static let seeds: ClosedRange<UInt64> = 1...80

  /// Random graphs, each rider with wishes of its own: what it gets alone, whole, by the scalar kernels, to the bit.
  @Test(arguments: seeds, Precision.allCases)
  func neitherBatchNorChunkNorInstructionSetMatters(seed: UInt64, precision: Precision) throws {
    try check(RandomModel(seed: seed &+ 700), seed: seed, precision: precision)
  }

  /// Likewise where the number of steps changes, though not a step is waited for.
  @Test(arguments: seeds)
  func norDoNumbersOfSteps(seed: UInt64) throws {
    let random = try RandomModel(seed: seed, focus: .streamed)
    #expect(try ModelGraph(random.model).isStreamable)
    try check(
      random, seed: seed, precision: Precision.allCases[Int(seed) % Precision.allCases.count])
  }

  private func check(_ random: RandomModel, seed: UInt64, precision: Precision) throws {
    var (random, noise) = (random, Noise(seed: seed))
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

  /// A state may say that it has done any number of steps: they count as the ones so far, without overflow.
  @Test(arguments: [1, 2, 3, 1 << 53, 1 << 62])
  func aStateFarAlong(position: Int) throws {
    let graph = try ModelGraph(SmallModels.changingSteps())
    var noise = Noise(seed: 3)
    let sequence = try noise.sequence(for: graph.model, steps: 4)
    var (states, workspace) = (SeatStates(graph: graph), Workspace(graph: graph))
    let resumed = SequenceState(
      position: position, floats: Array(repeating: 0.25, count: graph.stateFloatCount))
    graph.forward(
      [
        TurnRider(
          input: sequence, steps: 0..<4, position: position, finishes: true,
          selection: graph.defaultSelection, seat: 0, resumed: resumed)
      ], states: &states, workspace: &workspace)
    for (index, output) in graph.model.outputs.enumerated() {
      let values = workspace.values(ofOutput: index, rider: 0)
      // Wherever they begin, four steps give two, each of these three, and these six again half as many.
      let rows = ["lstm": 2, "each": 6, "gru": 3][output.name] ?? 1
      #expect(values.count == rows * output.size, "\(output.name)")
      #expect(values.allSatisfy { $0.isFinite })
    }
  }

  /// The graphs that run step by step hold what they are meant to.
  @Test func streamedGraphsChangeTheirSteps() throws {
    var found: Set<String> = []
    for seed in Self.seeds {
      let graph = try ModelGraph(RandomModel(seed: seed, focus: .streamed).model)
      for node in graph.model.nodes where node.axis ?? 0 > 0 {
        found.insert(node.mask == nil ? node.op.name : "masked \(node.op.name)")
      }
      if graph.nodes.contains(where: { !$0.lastStep.isEmpty }) { found.insert("kept") }
      if graph.model.axes.count > 3 { found.insert("many") }
    }
    let ops = [
      "conv", "conv2d", "max_pool", "average_pool", "repeat_steps", "lstm", "gru", "rnn", "mlstm",
      "last",
      "first", "mean", "max", "sum",
    ]
    for name in ops + ["masked lstm", "masked last", "masked mean", "masked conv", "kept", "many"] {
      #expect(found.contains(name), "\(name)")
    }
  }

  /// The graphs above hold what they are meant to.
  @Test func randomGraphsHaveEveryForm() throws {
    var found: Set<String> = []
    for seed in Self.seeds {
      let graph = try ModelGraph(RandomModel(seed: seed &+ 700).model)
      let forms = Set(
        graph.model.outputs.indices.map { graph.answersEveryStep(output: $0) })
      if forms.count == 2 { found.insert("mixed") }
      if graph.model.inputAxes.count == 2 { found.insert("two axes") }
      if graph.model.axes.count > graph.model.inputAxes.count { found.insert("other steps") }
      if graph.isStreamable, graph.nodes.contains(where: { !$0.maskState.isEmpty }) {
        found.insert("streamed mask")
      }
      for (node, described) in zip(graph.nodes, graph.model.nodes) {
        guard let shape = described.recurrent else { continue }
        if described.mask != nil { found.insert("masked network") }
        if shape.isReverse { found.insert("reverse") }
        if shape.bias == .one { found.insert("one bias") }
        if shape.hasPeepholes { found.insert("peepholes") }
        if shape.hasInitialState { found.insert("initial states") }
        let network = described.op.definition as? any RecurrentOp
        if network?.activations.contains(where: { $0.value?.ops.count == 2 }) == true {
          found.insert("by direction")
        }
        if described.initialHidden == nil, described.initialCell != nil {
          found.insert("c alone")
        }
        if described.weights == "" { found.insert("bare") }
        if node.finalLayers.contains(where: { $0 + 1 < shape.layers }) {
          found.insert("states of a layer")
        }
        if let lstm = described.op.definition as? LSTMOp {
          found.insert(lstm == LSTMOp() ? "lstm" : "rare lstm")
          if lstm.couplesForgetGate { found.insert("input_forget") }
          if lstm.clip != nil { found.insert("clip") }
        }
        if let gru = described.op.definition as? GRUOp {
          found.insert(gru.reset == .before ? "gru before" : "gru after")
        }
        if described.op.definition is RNNOp { found.insert("rnn") }
      }
    }
    #expect(
      found == [
        "mixed", "two axes", "other steps", "streamed mask", "masked network", "reverse",
        "one bias", "peepholes", "initial states", "c alone", "bare", "states of a layer", "lstm",
        "rare lstm", "input_forget", "clip", "by direction", "gru before", "gru after", "rnn",
      ])
  }
}
