import Inference
import Synchronization
import TestSupport
import Testing

@testable import Scheduling

/// An engine without threads: its state, and its workers', moved on by random numbers.
struct Fairground {
  /// A question on its way.
  private struct Visit {
    let rider: RiderID
    let question: RideQuestion
    let reader: Reader
  }

  /// Notes the tokens of a text, and sometimes is behind.
  private final class Reader: Sendable {
    private let state: Mutex<(tokens: [Int32?], isBehind: Bool, noise: TestSupport.Noise)>

    init(seed: UInt64) { state = Mutex(([], false, Noise(seed: seed))) }

    var tokens: [Int32?] { state.withLock { $0.tokens } }

    /// Whether it was behind since it was last asked.
    func catchUp() -> Bool {
      state.withLock { state in
        defer { state.isBehind = false }
        return state.isBehind
      }
    }

    func take(_ token: Int32?, of steps: Int) -> TokenReply {
      state.withLock { state in
        state.tokens.append(token)
        guard state.tokens.count < steps else { return .stop }
        state.isBehind = Int.random(in: 1...3, using: &state.noise) == 1
        return state.isBehind ? .wait : .goOn
      }
    }
  }

  let graph: ModelGraph
  private var state: EngineState
  private var workers: [WorkerState]
  private var noise: TestSupport.Noise
  /// By group.
  private var visits: [ObjectIdentifier: Visit] = [:]
  private var now = ContinuousClock.now

  /// Who came to an end, and with what.
  private(set) var finished: [(question: RideQuestion, answer: RideAnswer)] = []
  /// Turns of more than one rider.
  private(set) var sharedTurns = 0
  /// Riders that left their seats to others, and those that were parked.
  private(set) var (rotations, pauses) = (0, 0)

  var carousel: Carousel { state.carousel }

  init(graph: ModelGraph, seed: UInt64) {
    self.graph = graph
    noise = Noise(seed: seed &+ 77)
    let carousel = Carousel(
      limits: EngineLimits(maxSeats: .random(in: 1...12, using: &noise)),
      chunking: graph.isStreamable ? .steps : .wholeSequences,
      workerCount: .random(in: 1...3, using: &noise), start: now)
    state = EngineState(graph: graph, carousel: carousel)
    workers = (0..<carousel.workerCount).map { _ in WorkerState(graph: graph) }
  }

  var isEmpty: Bool { visits.isEmpty }

  private mutating func chance(_ one: Int) -> Bool { Int.random(in: 1...one, using: &noise) == 1 }

  private mutating func question() throws -> RideQuestion {
    let sequence = try noise.sequence(
      for: graph.model, steps: .random(in: 1...(chance(6) ? 60 : 12), using: &noise))
    if graph.generation != nil, !chance(4) {
      let sampling = Sampling(
        temperature: chance(3) ? 0 : 1, topK: chance(3) ? 4 : nil, topP: chance(3) ? 0.8 : 1,
        seed: noise.next())
      return RideQuestion(
        sequence: sequence, selection: .last,
        ending: .generation(sampling, steps: .random(in: 1...9, using: &noise)))
    }
    if graph.forecast != nil, !chance(3) {
      return RideQuestion(
        sequence: sequence, selection: .last,
        ending: .forecast(horizon: .random(in: 1...9, using: &noise)))
    }
    return RideQuestion(
      sequence: sequence, selection: noise.selection(for: graph),
      ending: .ends)
  }

  private func continuation(of question: RideQuestion, _ reader: Reader) -> Continuation {
    switch question.ending {
    case .ends: return .ends
    case .forecast(let horizon): return .forecast(horizon: horizon)
    case .generation(let sampling, let steps):
      let (output, input, scale) = graph.generation!
      return .generation(
        Generation(
          sampler: TokenSampler(sampling, scale: scale), output: output, input: input,
          remainingSteps: steps, onToken: { reader.take($0, of: steps) }))
    }
  }

  mutating func arrive() throws {
    // Of one request in five the time-out may pass.
    let timeout: Duration? =
      chance(5) ? .milliseconds(Int.random(in: 1...60, using: &noise)) : nil
    for _ in 0..<Int.random(in: 0...3, using: &noise) {
      let question = try question()
      let reader = Reader(seed: noise.next())
      let request = RideRequest(
        [question.sequence], selection: question.selection,
        continuation: continuation(of: question, reader),
        terms: RideTerms(arrived: now, timeout: timeout)
      ) { _ in }
      let riders = try state.admit(request, request.journeys(through: graph), now: now)
      visits[ObjectIdentifier(request.group)] = Visit(
        rider: riders[0], question: question, reader: reader)
    }
  }

  /// Sometimes a client leaves, whether it waits, rides or pauses.
  mutating func leave() {
    let present = visits.sorted { $0.value.rider < $1.value.rider }
    guard chance(5), let (group, visit) = present.randomElement(using: &noise) else { return }
    _ = state.leave([visit.rider])
    visits[group] = nil
  }

  mutating func catchUp() {
    for visit in visits.values.sorted(by: { $0.rider < $1.rider }) {
      guard chance(2), visit.reader.catchUp() else { continue }
      state.resume(visit.rider)
    }
  }

  /// One turn of every worker, in random order.
  mutating func turn() {
    for worker in workers.indices.shuffled(using: &noise) {
      now += .milliseconds(Int.random(in: 1...9, using: &noise))
      let late = state.removeLateParked(now: now).late
      for rider in late { visits[ObjectIdentifier(rider.group)] = nil }
      state.carousel.turnSteps = Int.random(in: 1...60, using: &noise)
      run(worker)
    }
  }

  /// What the engine does between two of its locks.
  private mutating func run(_ index: Int) {
    var worker = workers[index]
    defer { workers[index] = worker }
    var plan = state.plan(index, now: now, hasIdleCores: false) { worker.unseat($0) }
    for rider in plan.expired { visits[ObjectIdentifier(rider.group)] = nil }
    worker.seat(plan.takeBoarding(), as: plan.turn)
    guard !plan.turn.parts.isEmpty else { return }
    rotations += plan.turn.rotations.count
    sharedTurns += plan.turn.parts.count > 1 ? 1 : 0
    worker.compute(plan.turn, crew: nil)
    let next = worker.advance(plan.turn)
    // Sometimes somebody leaves, or catches up, while the turn runs.
    if chance(3) { leave() }
    if chance(3) { catchUp() }
    let parked = carousel.parkedCount
    let finished = state.finish(plan.turn, next, worker: index, &worker, now: now).finished
    pauses += carousel.parkedCount - parked
    for rider in finished { finish(rider) }
  }

  private mutating func finish(_ rider: Rider) {
    guard let visit = visits.removeValue(forKey: ObjectIdentifier(rider.group)) else {
      Issue.record("a rider that left comes to an end")
      return
    }
    let outputs = rider.prediction(of: graph).outputs
    finished.append(
      (
        visit.question,
        RideAnswer(
          outputs: outputs.map { $0.values.map(\.bitPattern) }, tokens: visit.reader.tokens)
      ))
  }
}
