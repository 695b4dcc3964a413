import Inference
import TestSupport
import Testing

@testable import Scheduling

/// An engine without threads: a carousel, its workers' seats and the riders, moved on by random numbers.
struct Fairground {
  private struct Place {
    var states: SeatStates
    var workspace: Workspace
  }

  let graph: ModelGraph
  private(set) var carousel: Carousel
  private var noise: TestSupport.Noise
  private var places: [Place]
  private var riders: [RiderID: Rider] = [:]
  private var questions: [RiderID: RideQuestion] = [:]
  private var tokens: [RiderID: [Int32?]] = [:]
  private var parked: [RiderID] = []
  private var now = ContinuousClock.now

  /// Who came to an end, and with what.
  private(set) var finished: [(question: RideQuestion, answer: RideAnswer)] = []
  /// Turns of more than one rider.
  private(set) var sharedTurns = 0
  /// Riders that left their seats to others.
  private(set) var rotations = 0

  init(graph: ModelGraph, seed: UInt64) {
    self.graph = graph
    noise = Noise(seed: seed &+ 77)
    carousel = Carousel(
      limits: EngineLimits(maxSeats: .random(in: 1...12, using: &noise)),
      chunking: graph.isStreamable ? .steps : .wholeSequences,
      workerCount: .random(in: 1...3, using: &noise), start: now)
    places = (0..<carousel.workerCount).map { _ in
      Place(states: SeatStates(graph: graph), workspace: Workspace(graph: graph))
    }
  }

  var isEmpty: Bool { riders.isEmpty }

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

  private func continuation(of question: RideQuestion) -> Continuation {
    switch question.ending {
    case .ends: return .ends
    case .forecast(let horizon): return .forecast(horizon: horizon)
    case .generation(let sampling, let steps):
      let (output, input, scale) = graph.generation!
      return .generation(
        Generation(
          sampler: TokenSampler(sampling, scale: scale), output: output, input: input,
          remainingSteps: steps, onToken: { _ in .stop }))
    }
  }

  mutating func arrive() throws {
    let questions = try (0..<Int.random(in: 0...3, using: &noise)).map { _ in try question() }
    // Of one request in five the time-out may pass.
    let timeout: Duration? =
      chance(5) ? .milliseconds(Int.random(in: 1...60, using: &noise)) : nil
    let continuations = questions.map(continuation)
    let riders = try carousel.arrive(
      zip(questions, continuations).map {
        .init(
          steps: $0.sequence.stepCount,
          following: $1.followingSteps(of: graph, after: $0.sequence.stepCount))
      }, terms: RideTerms(arrived: now, timeout: timeout), now: now, costs: TurnCosts())
    for (index, rider) in riders.enumerated() {
      self.questions[rider] = questions[index]
      self.riders[rider] = Rider(
        input: questions[index].sequence, selection: questions[index].selection,
        continuation: continuations[index], group: RiderGroup(count: 1) { _ in }, index: 0,
        foundSeat: true,
        arrived: now, timeout: timeout, states: StateTransfer())
    }
  }

  /// Sometimes a client leaves, whether it waits, rides or pauses.
  mutating func leave() {
    guard chance(5), let rider = riders.keys.sorted().randomElement(using: &noise) else { return }
    carousel.leave(rider)
    riders[rider] = nil
    parked.removeAll { $0 == rider }
  }

  mutating func rejoin() {
    guard chance(2), let rider = parked.popLast(), let waiting = riders[rider] else { return }
    carousel.rejoin(rider, waiting.journey(of: graph), deadline: waiting.deadline)
  }

  /// One turn of every worker, in random order; what the engine does between two of its locks.
  mutating func turn() {
    for worker in places.indices.shuffled(using: &noise) {
      now += .milliseconds(Int.random(in: 1...9, using: &noise))
      carousel.turnSteps = Int.random(in: 1...60, using: &noise)
      let turn = carousel.nextTurn(worker: worker, now: now)
      for rider in turn.expired { riders[rider] = nil }
      guard !turn.parts.isEmpty else { continue }
      rotations += turn.rotations.count
      for rotation in turn.rotations {
        riders[rotation.rider]!.park(
          seat: rotation.seat, states: places[worker].states, graph: graph)
      }
      for move in turn.moves { places[worker].states.move(from: move.from, to: move.to) }
      sharedTurns += turn.parts.count > 1 ? 1 : 0
      run(turn.parts, on: worker)
    }
  }

  private mutating func run(_ parts: [Turn.Part], on worker: Int) {
    var place = places[worker]
    graph.forward(
      parts.map { riders[$0.rider]!.part($0) }, states: &place.states,
      workspace: &place.workspace)
    places[worker] = place
    for (index, part) in parts.enumerated() {
      var rider = riders[part.rider]!
      var generation = rider.generation(after: part)
      let drawn = draw(&generation, part, index, worker)
      rider.take(
        part, index: index, from: places[worker].workspace, states: places[worker].states,
        graph: graph)
      riders[part.rider] = rider
      guard part.finishes else { continue }
      switch rider.next(generation, drawn, graph) {
      case .steps(let steps): carousel.extend(seat: part.seat, worker: worker, by: steps)
      case .pause:
        carousel.alight(seat: part.seat, worker: worker)
        rider.park(seat: part.seat, states: places[worker].states, graph: graph)
        parked.append(part.rider)
      case .end:
        carousel.alight(seat: part.seat, worker: worker)
        finish(part.rider, rider)
        continue
      }
      riders[part.rider] = rider
    }
  }

  /// Draws a token, whose reader sometimes is behind.
  private mutating func draw(
    _ generation: inout Generation?, _ part: Turn.Part, _ index: Int, _ worker: Int
  ) -> Engine.DrawnToken {
    guard let output = generation?.output,
      case .generation(_, let steps) = questions[part.rider]?.ending
    else { return nil }
    let token = generation?.sampler.draw(
      from: places[worker].workspace.values(ofOutput: output, rider: index))
    tokens[part.rider, default: []].append(token)
    guard tokens[part.rider]?.count ?? 0 < steps else { return (token ?? 0, .stop) }
    return (token ?? 0, chance(3) ? .wait : .goOn)
  }

  private mutating func finish(_ id: RiderID, _ rider: Rider) {
    riders[id] = nil
    guard let question = questions[id] else { return }
    let outputs = rider.prediction(of: graph).outputs
    finished.append(
      (
        question,
        RideAnswer(
          outputs: outputs.map { $0.values.map(\.bitPattern) }, tokens: tokens[id] ?? [])
      ))
  }
}
