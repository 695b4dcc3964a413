import Inference
import TestSupport
import Testing

@testable import Scheduling

/// What has been reported for a rider is as large as its answer: no turn copies it, however often the rider leaves its seat
/// and comes back.
@Suite struct RotatingReportTests {
  @Test func boardingAgainCopiesNoReport() throws {
    let graph = try ModelGraph(SmallModels.writer())
    var now = ContinuousClock.now
    let carousel = Carousel(
      limits: EngineLimits(maxSeats: 1), chunking: .steps, workerCount: 1, start: now)
    var state = EngineState(graph: graph, carousel: carousel)
    var worker = WorkerState(graph: graph)
    for _ in 0..<2 {
      let input = try InputSequence(
        [.tokens(Array(repeating: 1, count: 400))], for: graph.model)
      let request = RideRequest(
        [input], selection: .all, continuation: .ends,
        terms: RideTerms(arrived: now, timeout: nil)
      ) { _ in }
      _ = try state.admit(request, request.journeys(through: graph), now: now)
    }
    var places: [RiderID: Set<UnsafeRawPointer>] = [:]
    var boardings = 0
    while true {
      now += .milliseconds(30)
      state.carousel.turnSteps = 20
      var plan = state.plan(0, now: now, hasIdleCores: false) { worker.unseat($0) }
      worker.seat(plan.takeBoarding(), as: plan.turn)
      guard let part = plan.turn.parts.first else { break }
      boardings += plan.turn.boardings.count
      worker.compute(plan.turn, crew: nil)
      let next = worker.advance(plan.turn)
      places[part.rider, default: []].insert(try #require(unsafe report(of: worker)))
      _ = state.finish(plan.turn, next, worker: 0, &worker, now: now)
    }
    #expect(boardings > 10)
    #expect(places.count == 2 && places.values.allSatisfy { $0.count == 1 })
  }

  /// Where the only output of the only rider on board stands in memory.
  private func report(of worker: WorkerState) -> UnsafeRawPointer? {
    let riders = Mirror(reflecting: worker).descendant("riders") as? [Rider?]
    guard let rider = riders?.first ?? nil,
      let reported = Mirror(reflecting: rider).descendant("reported") as? [[Float]]
    else { return nil }
    return unsafe reported.first?.withUnsafeBufferPointer {
      unsafe UnsafeRawPointer($0.baseAddress)
    }
  }
}
