import Inference
import ModelFormat
import TestSupport
import Testing

/// A sequence's result is its own: no batch, chunk, crew or instruction set changes a bit of it.
@Suite struct InvarianceTests {
  static let instructionSets = Kernels.InstructionSet.allCases.filter { Kernels($0) != nil }

  private func sequences(
    _ model: Model, lengths: [Int], seed: UInt64
  ) throws -> [InputSequence] {
    var noise = Noise(seed: seed)
    return try lengths.map { try noise.sequence(for: model, steps: $0) }
  }

  /// Every kind of cell in every shape of graph.
  static let networks: [(SmallModels.Shape, SmallModels.Cell)] = SmallModels.Shape.allCases.flatMap
  {
    shape in SmallModels.Cell.allCases.map { (shape, $0) }
  }

  @Test(arguments: networks, Precision.allCases)
  func batchesDoNotMatter(
    network: (shape: SmallModels.Shape, cell: SmallModels.Cell), precision: Precision
  ) throws {
    let graph = try ModelGraph(
      SmallModels.forecaster(network.shape, cell: network.cell), precision: precision)
    let lengths = [9, 1, 30, 2, 9, 17, 5, 30, 64]
    let riders = try sequences(graph.model, lengths: lengths, seed: 4)
    let selections = riders.map { _ in Selection.last }
    let together = Runner.run(graph, riders, selections: selections)
    for (index, rider) in riders.enumerated() {
      let alone = Runner.run(graph, [rider], selections: [.last])[0]
      #expect(alone.bits == together[index].bits)
      #expect(alone[0].count == 2)
    }
  }

  /// What rides by chunks.
  enum Streamable: CaseIterable {
    case layers, pooled
    /// From states that the client gives, beyond what a computed h can be.
    case givenStates
    case gru, gruResetBefore, rnn, rareLSTM
    case maskedKernels, changingSteps

    func model() throws -> Model {
      switch self {
      case .layers: try SmallModels.forecaster(.streamable)
      case .pooled: try SmallModels.forecaster(.pooled)
      case .givenStates: try Model(folder: Fixtures.path("ops/initial_state"))
      case .gru: try SmallModels.forecaster(.pooled, cell: .gru)
      case .gruResetBefore: try Model(folder: Fixtures.path("cells/gru_reset_before"))
      case .rnn: try SmallModels.forecaster(cell: .rnnReLU)
      case .rareLSTM: try SmallModels.forecaster(cell: .rareLSTM)
      case .maskedKernels: try SmallModels.maskedKernels()
      case .changingSteps: try SmallModels.changingSteps()
      }
    }
  }

  @Test(arguments: Streamable.allCases, Precision.allCases)
  func chunksDoNotMatter(streamable: Streamable, precision: Precision) throws {
    let graph = try ModelGraph(streamable.model(), precision: precision)
    #expect(graph.isStreamable)
    for seed in 1...6 as ClosedRange<UInt64> {
      var noise = Noise(seed: seed)
      let lengths = (0..<11).map { _ in Int.random(in: 1...40, using: &noise) }
      let riders = try sequences(graph.model, lengths: lengths, seed: seed)
      let selections = riders.map { _ in
        graph.supports(.all) && Bool.random(using: &noise) ? Selection.all : .last
      }
      let chunked = Runner.run(graph, riders, selections: selections) { _, remaining in
        Swift.min(remaining, Int.random(in: 0...9, using: &noise))
      }
      for (index, rider) in riders.enumerated() {
        let alone = Runner.run(graph, [rider], selections: [selections[index]])[0]
        #expect(alone.bits == chunked[index].bits)
      }
    }
  }

  @Test(arguments: instructionSets, Precision.allCases)
  func instructionSetsDoNotMatter(set: Kernels.InstructionSet, precision: Precision) throws {
    for (shape, cell) in Self.networks {
      let model = try SmallModels.forecaster(shape, cell: cell, hiddenSize: 19)
      let riders = try sequences(model, lengths: [3, 40, 8, 21, 8, 8, 8], seed: 9)
      let selections = riders.map { _ in Selection.last }
      let scalar = try ModelGraph(
        model, precision: precision, kernels: #require(Kernels(.scalar)))
      let variant = try ModelGraph(model, precision: precision, kernels: #require(Kernels(set)))
      let expected = Runner.run(scalar, riders, selections: selections)
      let found = Runner.run(variant, riders, selections: selections)
      #expect(found.map(\.bits) == expected.map(\.bits))
    }
  }

  /// Fewer units than a crew could divide, as many, and more; likewise what they are projected to.
  static let sizes: [(hidden: Int, projection: Int)] = [(5, 3), (33, 20), (140, 70)]
  /// Those whose cores meet for different reasons.
  static let crews: [(SmallModels.Shape, SmallModels.Cell)] =
    SmallModels.Shape.allCases.map { ($0, .lstm) } + [
      (.streamable, .gru), (.bidirectional, .gruResetBefore), (.pooled, .rnnReLU),
    ]

  /// Who of a crew comes is up to the system, so that it is asked again and again.
  @Test(.heavy, arguments: Precision.allCases, 2...3)
  func crewsDoNotMatter(precision: Precision, size: Int) throws {
    let crew = Crew(size: size)
    for (shape, cell) in Self.crews {
      for sizes in Self.sizes {
        let graph = try ModelGraph(
          SmallModels.forecaster(
            shape, cell: cell, hiddenSize: sizes.hidden, projectionSize: sizes.projection),
          precision: precision)
        // A crew meets at every step, each time at the system's leisure.
        let riders = try sequences(graph.model, lengths: [4, 1, 7, 3, 4], seed: 5)
        let selections = riders.map { _ in Selection.last }
        let alone = Runner.run(graph, riders, selections: selections)
        for _ in 0..<3 {
          let together = Runner.run(graph, riders, selections: selections, crew: crew)
          #expect(together.map(\.bits) == alone.map(\.bits))
        }
      }
    }
  }

  /// Every step's answer is what the sequence cut off at that step would get.
  @Test(arguments: Precision.allCases)
  func allStepsAreTheLastStepsOfPrefixes(precision: Precision) throws {
    let graph = try ModelGraph(SmallModels.forecaster(), precision: precision)
    let values: [Float] = [0.3, -1, 2, 0.5, 0, -2, 1]
    let whole = try InputSequence([.features(values)], for: graph.model)
    let all = Runner.run(graph, [whole], selections: [.all])[0][0]
    for count in 1...values.count {
      let prefix = try InputSequence([.features(Array(values.prefix(count)))], for: graph.model)
      let last = Runner.run(graph, [prefix], selections: [.last])[0][0]
      #expect(Array(all[(count - 1) * 2..<count * 2]) == last)
    }
  }

  @Test func supportedSelections() throws {
    #expect(try ModelGraph(SmallModels.forecaster()).supports(.all))
    #expect(try !ModelGraph(SmallModels.forecaster(.pooled)).supports(.all))
    #expect(try !ModelGraph(SmallModels.forecaster(.bidirectional)).isStreamable)
  }
}

extension [[Float]] {
  var bits: [[UInt32]] { map { $0.map(\.bitPattern) } }
}
