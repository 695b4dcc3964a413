import Inference
import ModelFormat
import Scheduling
import TestSupport
import Testing

/// Whatever graph it is, and whoever else rides: an answer is the one that the sequence gets alone, with the
/// scalar kernels, to the bit.
@Suite struct RandomGraphTests {
  @Test(arguments: 1...25, Precision.allCases)
  func answersDoNotDependOnTheBatch(seed: UInt64, precision: Precision) async throws {
    try await check(RandomModel(seed: seed), seed: seed, precision: precision)
  }

  /// What would be drawn too seldom.
  @Test(arguments: 1...8, RandomModel.Focus.allCases)
  func norOnWhatIsSeldomDrawn(seed: UInt64, focus: RandomModel.Focus) async throws {
    try await check(
      RandomModel(seed: seed, focus: focus), seed: seed,
      precision: Precision.allCases[Int(seed) % Precision.allCases.count])
  }

  private func check(
    _ random: RandomModel, seed: UInt64, precision: Precision
  ) async throws {
    var random = random
    let graph = try ModelGraph(random.model, precision: precision)
    let scalar = try ModelGraph(
      random.model, precision: precision, kernels: #require(Kernels(.scalar)))
    var noise = Noise(seed: seed &+ 1000)
    let engine = Engine(
      graph: graph,
      limits: EngineLimits(
        workers: .random(in: 1...2, using: &noise), maxSeats: .random(in: 1...16, using: &noise)))
    var requests: [(sequences: [InputSequence], selection: Selection, leaves: Bool)] = []
    for _ in 0..<12 {
      let sequences = try (0..<Int.random(in: 1...3, using: &noise)).map { _ in
        let isLong = Int.random(in: 0...7, using: &noise) == 0
        return try random.sequence(steps: .random(in: 1...(isLong ? 300 : 15), using: &noise))
      }
      let selection = noise.selection(for: graph)
      requests.append((sequences, selection, Int.random(in: 0...4, using: &noise) == 0))
    }

    let answers = await withTaskGroup(of: (Int, Result<[Prediction], Refusal>).self) { group in
      for (index, request) in requests.enumerated() {
        group.addTask {
          let result = await withCheckedContinuation { continuation in
            let ticket = engine.predict(request.sequences, selection: request.selection) {
              // A second call would be a crash.
              continuation.resume(returning: $0)
            }
            if request.leaves { engine.cancel(ticket) }
          }
          return (index, result)
        }
      }
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }

    for (index, request) in requests.enumerated() {
      switch try #require(answers[index]) {
      case .success(let predictions):
        for (prediction, sequence) in zip(predictions, request.sequences) {
          let expected = bits(scalar, sequence, request.selection)
          #expect(prediction.outputs.map { $0.values.map(\.bitPattern) } == expected)
          checkForms(of: prediction, graph, sequence, request.selection)
          let last = bits(scalar, sequence, .last)
          #expect(zip(expected, last).allSatisfy { Array($0.suffix($1.count)) == $1 })
        }
      case .failure(let refusal):
        #expect(request.leaves && refusal == .cancelled)
      }
    }
    #expect(engine.snapshot().queuedSequences == 0)
  }

  /// Each output has the rows and the floats that the graph says it will.
  private func checkForms(
    of prediction: Prediction, _ graph: ModelGraph, _ sequence: InputSequence,
    _ selection: Selection
  ) {
    let steps = sequence.stepCounts
    #expect(
      prediction.outputs.reduce(0) { $0 + $1.values.count }
        == graph.answerFloatCount(selection: selection, stepCounts: steps))
    for (index, output) in prediction.outputs.enumerated() {
      let rows = graph.rowCount(ofOutput: index, selection: selection, stepCounts: steps)
      #expect(output.rows == rows && output.size == graph.model.outputs[index].size)
      #expect(output.values.count == (rows ?? 1) * output.size)
    }
  }

  /// One sequence alone in one turn.
  private func bits(
    _ graph: ModelGraph, _ sequence: InputSequence, _ selection: Selection
  ) -> [[UInt32]] {
    graph.outputs(of: sequence, selection).map { $0.map(\.bitPattern) }
  }
}
