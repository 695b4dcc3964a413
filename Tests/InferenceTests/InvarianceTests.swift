import Inference
import ModelFormat
import TestSupport
import Testing

/// A sequence's result is its own: no batch, chunk or instruction set changes a bit of it.
@Suite struct InvarianceTests {
  static let instructionSets = Kernels.InstructionSet.allCases.filter { Kernels($0) != nil }

  private func sequences(
    _ model: Model, lengths: [Int], seed: UInt64
  ) throws -> [InputSequence] {
    var noise = Noise(seed: seed)
    return try lengths.map {
      try InputSequence([.features(noise.floats($0, scale: 3))], for: model)
    }
  }

  @Test(arguments: SmallModels.Shape.allCases)
  func batchesDoNotMatter(shape: SmallModels.Shape) throws {
    let graph = try ModelGraph(SmallModels.forecaster(shape))
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

  @Test(arguments: [SmallModels.Shape.streamable, .pooled], 1...12)
  func chunksDoNotMatter(shape: SmallModels.Shape, seed: UInt64) throws {
    let graph = try ModelGraph(SmallModels.forecaster(shape))
    #expect(graph.isStreamable)
    var noise = Noise(seed: seed)
    let lengths = (0..<11).map { _ in Int.random(in: 1...40, using: &noise) }
    let riders = try sequences(graph.model, lengths: lengths, seed: seed)
    let selections = riders.map { _ in
      shape == .streamable && Bool.random(using: &noise) ? Selection.all : .last
    }
    let chunked = Runner.run(graph, riders, selections: selections) { _, remaining in
      Swift.min(remaining, Int.random(in: 0...9, using: &noise))
    }
    for (index, rider) in riders.enumerated() {
      let alone = Runner.run(graph, [rider], selections: [selections[index]])[0]
      #expect(alone.bits == chunked[index].bits)
    }
  }

  @Test(arguments: instructionSets)
  func instructionSetsDoNotMatter(set: Kernels.InstructionSet) throws {
    for shape in SmallModels.Shape.allCases {
      let model = try SmallModels.forecaster(shape, hiddenSize: 19)
      let riders = try sequences(model, lengths: [3, 40, 8, 21, 8, 8, 8], seed: 9)
      let selections = riders.map { _ in Selection.last }
      let scalar = try ModelGraph(model, kernels: #require(Kernels(.scalar)))
      let variant = try ModelGraph(model, kernels: #require(Kernels(set)))
      let expected = Runner.run(scalar, riders, selections: selections)
      let found = Runner.run(variant, riders, selections: selections)
      #expect(found.map(\.bits) == expected.map(\.bits))
    }
  }

  /// Every step's answer is what the sequence cut off at that step would get.
  @Test func allStepsAreTheLastStepsOfPrefixes() throws {
    let graph = try ModelGraph(SmallModels.forecaster())
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
