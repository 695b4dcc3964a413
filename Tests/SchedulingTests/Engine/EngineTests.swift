import Dispatch
import Inference
import ModelFormat
import Synchronization
import TestSupport
import Testing

@testable import Scheduling

@Suite struct EngineTests {
  private func predict(
    _ engine: Engine, _ sequences: [InputSequence], selection: Selection = .last,
    horizon: Int? = nil
  ) async -> Result<[Prediction], Refusal> {
    await withCheckedContinuation { continuation in
      engine.predict(sequences, selection: selection, horizon: horizon) {
        continuation.resume(returning: $0)
      }
    }
  }

  private func sequence(_ values: [Float], _ graph: ModelGraph) throws -> InputSequence {
    try InputSequence([.features(values)], for: graph.model)
  }

  /// Whatever rides together, in whatever order, each gets what it would get alone, to the bit.
  @Test(.heavy, arguments: SmallModels.Shape.allCases, [(1, 1), (3, 1), (16, 1), (3, 2), (40, 3)])
  func manyAtOnce(shape: SmallModels.Shape, room: (seats: Int, workers: Int)) async throws {
    let graph = try ModelGraph(SmallModels.forecaster(shape))
    let engine = Engine(
      graph: graph, limits: EngineLimits(workers: room.workers, maxSeats: room.seats))
    var noise = Noise(seed: UInt64(room.seats))
    let requests = try (0..<30).map { _ in
      try (0..<Int.random(in: 1...3, using: &noise)).map { _ in
        // A few are longer than a turn is.
        let isLong = Int.random(in: 0...5, using: &noise) == 0
        let steps = Int.random(in: 1...(isLong ? 700 : 70), using: &noise)
        return try sequence(noise.floats(steps, scale: 2), graph)
      }
    }
    let answers = await withTaskGroup(of: (Int, [Prediction]).self) { group in
      for (index, request) in requests.enumerated() {
        group.addTask {
          guard case .success(let predictions) = await predict(engine, request) else {
            return (index, [])
          }
          return (index, predictions)
        }
      }
      return await group.reduce(into: [Int: [Prediction]]()) { $0[$1.0] = $1.1 }
    }
    let lonely = Engine(graph: graph, limits: EngineLimits(maxSeats: 1))
    for (index, request) in requests.enumerated() {
      for (place, one) in request.enumerated() {
        let alone = try await predict(lonely, [one]).get()
        let found = try #require(answers[index]?[place])
        #expect(
          found.outputs[0].values.map(\.bitPattern) == alone[0].outputs[0].values.map(\.bitPattern))
      }
    }
    let statistics = engine.snapshot()
    #expect(statistics.sequences == UInt64(requests.reduce(0) { $0 + $1.count }))
    #expect(statistics.seated == 0 && statistics.queuedSequences == 0)
    #expect(statistics.steps == UInt64(requests.joined().reduce(0) { $0 + $1.stepCount }))
  }

  /// A horizon beyond the forecast is the model asked again with its own forecast appended.
  @Test(arguments: SmallModels.Shape.allCases, [1, 2, 3, 7])
  func horizon(shape: SmallModels.Shape, steps: Int) async throws {
    let graph = try ModelGraph(SmallModels.forecaster(shape))
    let engine = Engine(graph: graph)
    let history: [Float] = [1, 2, -1, 0.5]
    let found = try await predict(engine, [sequence(history, graph)], horizon: steps).get()[0]
    var values = history
    while values.count < history.count + steps {
      values += try await predict(engine, [sequence(values, graph)]).get()[0].outputs[0].values
    }
    #expect(
      found.outputs == [
        .init(rows: nil, size: steps, values: Array(values[history.count...].prefix(steps)))
      ])
  }

  @Test func everyStep() async throws {
    let graph = try ModelGraph(SmallModels.forecaster())
    let engine = Engine(graph: graph)
    let long = try sequence((0..<1300).map { Float($0 % 17) / 10 }, graph)
    let output = try await predict(engine, [long], selection: .all).get()[0].outputs[0]
    #expect(output.rows == 1300 && output.size == 2 && output.values.count == 2600)
    let last = try await predict(engine, [long]).get()[0].outputs[0]
    #expect(last.rows == nil && last.values == Array(output.values.suffix(2)))
  }

  @Test func aFullQueueRefuses() async throws {
    let graph = try ModelGraph(SmallModels.forecaster())
    let engine = Engine(
      graph: graph, limits: EngineLimits(maxSeats: 1, maxQueuedSequences: 2, maxQueuedSteps: 100))
    let one = try sequence([1], graph)
    let refused = await predict(engine, [one, one, one])
    #expect(
      refused
        == .failure(.tooLarge(sequences: 3, sequenceLimit: 2, steps: 3, stepLimit: 100)))
    #expect(engine.snapshot().refused.first { $0.reason == "too_large" }?.count == 1)
    #expect(try await predict(engine, [one, one]).get().count == 2)
  }

  @Test func afterShutDownNobodyBoards() async throws {
    let graph = try ModelGraph(SmallModels.forecaster())
    let engine = Engine(graph: graph)
    engine.shutDown()
    #expect(await predict(engine, [try sequence([1], graph)]) == .failure(.draining))
  }

  /// It is over once all are answered, be they on board, waiting or parked, and not before; at once where nobody is there.
  @Test func shutDownCompletesWithTheLastAnswer() async throws {
    let graph = try ModelGraph(SmallModels.forecaster(hiddenSize: 64))
    let engine = Engine(graph: graph, limits: EngineLimits(maxSeats: 1))
    let long = try sequence(Array(repeating: 0.5, count: 20_000), graph)
    let answered = Counter()
    let left = Counter()
    for _ in 0..<3 { engine.predict([long], selection: .last) { _ in answered.add() } }
    let ticket = engine.predict([long], selection: .last) { _ in left.add() }
    let answersAtTheEnd: UInt64 = await withCheckedContinuation { continuation in
      engine.shutDown { continuation.resume(returning: answered.value) }
      engine.cancel(ticket)
    }
    #expect(answersAtTheEnd == 3 && left.value == 1)
    #expect(engine.snapshot().seated == 0)
    // Once more, and of one that nobody asked anything.
    for engine in [engine, Engine(graph: graph)] {
      await withCheckedContinuation { continuation in
        engine.shutDown { continuation.resume() }
      }
    }
  }

  /// A request that is cancelled completes once, as cancelled or done, and its seat serves others.
  @Test func cancelling() async throws {
    let graph = try ModelGraph(SmallModels.forecaster(hiddenSize: 64))
    let engine = Engine(graph: graph, limits: EngineLimits(maxSeats: 1))
    let long = try sequence(Array(repeating: 0.5, count: 100_000), graph)
    let completions = Counter()
    let result: Result<[Prediction], Refusal> = await withCheckedContinuation { continuation in
      let ticket = engine.predict([long], selection: .last) {
        completions.add()
        continuation.resume(returning: $0)
      }
      engine.cancel(ticket)
      engine.cancel(ticket)
    }
    #expect(result == .failure(.cancelled))
    #expect(try await predict(engine, [sequence([1], graph)]).get().count == 1)
    #expect(completions.value == 1)
    #expect(engine.snapshot().refused.first { $0.reason == "cancelled" }?.count == 1)
  }
}
