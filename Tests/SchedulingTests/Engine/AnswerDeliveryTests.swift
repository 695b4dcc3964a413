import Dispatch
import Inference
import Synchronization
import TestSupport
import Testing

@testable import Scheduling

/// Who delivers answers: the worker that computed them, unless that would keep it from others for long.
@Suite(.endsHangs) struct AnswerDeliveryTests {
  private static let key = DispatchSpecificKey<Bool>()

  private func engine() throws -> Engine {
    let engine = Engine(
      graph: try ModelGraph(SmallModels.forecaster()),
      limits: EngineLimits(workers: 1, maxSeats: 2))
    engine.workers[0].queue.setSpecific(key: Self.key, value: true)
    return engine
  }

  private func sequence(_ steps: Int, _ graph: ModelGraph) throws -> InputSequence {
    try InputSequence([.features((0..<steps).map { Float($0 % 9) / 10 })], for: graph.model)
  }

  /// Whether the worker delivers the answer to all `steps`, two numbers each, of a rider that boards with another.
  private func isDeliveredByTheWorker(
    _ engine: Engine, steps: Int, beside other: InputSequence? = nil
  ) async throws -> Bool {
    let sequence = try sequence(steps, engine.graph)
    let (predictions, isWorkers): ([Prediction], Bool) = try await withCheckedThrowingContinuation {
      continuation in
      engine.predict(
        [sequence], selection: .all, departure: other == nil ? .atOnce : .postponed { _ in }
      ) { result in
        let isWorkers = DispatchQueue.getSpecific(key: Self.key) ?? false
        continuation.resume(with: result.map { ($0, isWorkers) })
      }
      // The worker begins with both on board.
      if let other { engine.predict([other], selection: .last) { _ in } }
    }
    #expect(predictions.first?.outputs[0].values.count == 2 * steps)
    return isWorkers
  }

  @Test(arguments: [2047, 2048, 2049])
  func manyNumbersKeepNoWorkerFromOthers(steps: Int) async throws {
    let engine = try engine()
    // Far longer than the others, so that it rides when they are done.
    let other = try sequence(100_000, engine.graph)
    let isWorkers = try await isDeliveredByTheWorker(engine, steps: steps, beside: other)
    #expect(isWorkers == (2 * steps <= Engine.maxNumbersBetweenTurns))
  }

  @Test func aloneItDeliversAll() async throws {
    let isWorkers = try await isDeliveredByTheWorker(engine(), steps: 5000)
    #expect(isWorkers)
  }
}
