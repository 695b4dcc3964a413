import Dispatch
import Inference
import Synchronization
import TestSupport
import Testing

@testable import Scheduling

/// Riders begin when they should, where they should, and none is forgotten.
@Suite(.endsHangs) struct DepartureTests {
  private typealias Answer = Result<[Prediction], Refusal>

  /// Actions that were postponed, until they are called.
  private final class Postponed: Sendable {
    private let actions = Mutex<[@Sendable (Bool) -> Void]>([])

    var departure: Departure {
      .postponed { [self] action in actions.withLock { $0.append(action) } }
    }

    func begin(isIdle: Bool) {
      let actions = actions.withLock { actions in
        defer { actions = [] }
        return actions
      }
      for action in actions { action(isIdle) }
    }
  }

  private func sequence(_ steps: Int, _ graph: ModelGraph) throws -> InputSequence {
    try InputSequence([.features((0..<steps).map { Float($0) / 10 })], for: graph.model)
  }

  private func answer(_ engine: Engine, _ sequence: InputSequence) async -> Answer {
    await withCheckedContinuation { continuation in
      engine.predict([sequence], selection: .last) { continuation.resume(returning: $0) }
    }
  }

  /// An engine that knows that a rider of 5 steps costs little, however slow its first turns were.
  private func experiencedEngine() async throws -> Engine {
    let engine = Engine(graph: try ModelGraph(SmallModels.forecaster()))
    let journey = Journey(steps: 5)
    while !engine.state.withLock({ Departure.isShort(journey, turnSteps: 5, costs: $0.costs) }) {
      _ = await answer(engine, try sequence(9, engine.graph))
    }
    return engine
  }

  /// A short rider that is alone is done when the call returns, with the same bits.
  @Test func aShortRiderIsComputedWhereItArrived() async throws {
    let engine = try await experiencedEngine()
    let sequence = try sequence(5, engine.graph)
    let expected = await answer(engine, sequence)
    let found = Mutex<Answer?>(nil)
    let postponed = Postponed()
    // Until the last rider's worker rests.
    try await eventually { engine.state.withLock { $0.carousel.turningCount == 0 } }
    engine.predict([sequence], selection: .last, departure: postponed.departure) { answer in
      found.withLock { $0 = answer }
    }
    #expect(engine.snapshot().queuedSequences == 1)
    postponed.begin(isIdle: true)
    #expect(found.withLock { $0 } == expected)
    #expect(engine.snapshot().seated == 0)
    #expect(engine.state.withLock { $0.carousel.turningCount } == 0)
  }

  /// Where the thread has other things to do, or riders are several or long, workers compute them.
  @Test(arguments: [(false, 1, 5), (true, 2, 5), (true, 1, 600)])
  func othersAreTheWorkers(isIdle: Bool, count: Int, steps: Int) async throws {
    let engine = try await experiencedEngine()
    let sequence = try sequence(steps, engine.graph)
    let expected = await answer(engine, sequence)
    let postponed = Postponed()
    let (answers, signal) = AsyncStream.makeStream(of: Answer.self)
    let here = DispatchSpecificKey<Bool>()
    let queue = DispatchQueue(label: "a loop")
    queue.setSpecific(key: here, value: true)
    queue.sync {
      for _ in 0..<count {
        engine.predict([sequence], selection: .last, departure: postponed.departure) { answer in
          #expect(DispatchQueue.getSpecific(key: here) == nil)
          signal.yield(answer)
        }
      }
      postponed.begin(isIdle: isIdle)
    }
    var found = 0
    for await answer in answers {
      #expect(answer == expected)
      found += 1
      if found == count { break }
    }
    #expect(found == count)
  }

  /// What is postponed may be cancelled before it begins.
  @Test func whoLeavesBeforeItBeginsIsGone() async throws {
    let engine = try await experiencedEngine()
    let found = Mutex<Answer?>(nil)
    let postponed = Postponed()
    let ticket = engine.predict(
      [try sequence(5, engine.graph)], selection: .last, departure: postponed.departure
    ) { answer in found.withLock { $0 = answer } }
    engine.cancel(ticket)
    #expect(found.withLock { $0 } == .failure(.cancelled))
    postponed.begin(isIdle: true)
    #expect(engine.snapshot().seated == 0 && engine.snapshot().queuedSequences == 0)
  }

  // MARK: - The policy

  @Test(arguments: [
    (Journey(steps: 10), 512, true), (Journey(steps: 11), 512, false),
    (Journey(steps: 10), 9, false), (Journey(steps: 10), 10, true),
    (Journey(steps: 9, following: 1), 512, false),
  ])
  func aShortRiderIsOneOfAMillisecond(journey: Journey, turnSteps: Int, isShort: Bool) {
    var costs = TurnCosts()
    #expect(!Departure.isShort(journey, turnSteps: turnSteps, costs: costs))
    // A little less than 0.1 ms a step.
    costs.record(riders: 1, longest: 1, total: 1, seconds: 0.000_099_9)
    #expect(Departure.isShort(journey, turnSteps: turnSteps, costs: costs) == isShort)
  }
}
