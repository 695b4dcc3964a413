import Dispatch
import Inference
import Synchronization

/// The turns of an engine: who takes them, on which thread, and what becomes of the riders.
extension Engine {
  /// What a rider may cost that the thread which brought it computes itself: a hop to a worker and back costs a tenth.
  private static let secondsHere = 0.001

  /// Begins to turn for those who came with `startsLater`.
  ///
  /// One rider alone, of few steps, is computed here and now, where the thread has nothing else to do: that saves two
  /// hops from thread to thread. Workers take over whoever comes meanwhile.
  package func start(mayTurnHere: Bool) {
    let (wake, plan) = boarding.withLock { boarding -> ([Int], Plan?) in
      guard mayTurnHere, let journey = boarding.carousel.onlyWaiting, journey.following == 0,
        !boarding.isTurning.contains(true), journey.steps <= boarding.carousel.turnSteps,
        boarding.costs.isKnown(riders: 1),
        boarding.costs.seconds(oneOf: 1, steps: journey.steps, workers: 1, seats: 1)
          <= Self.secondsHere, share.map({ $0.cores.tryEnter($0.model) }) ?? true
      else { return (boarding.workersToWake(), nil) }
      boarding.isTurning[0] = true
      // In the same hold of the lock: nobody else can board in its place.
      return ([], self.plan(0, &boarding, states: nil))
    }
    start(wake)
    if let plan { turnHere(plan) }
  }

  /// Takes one turn in place of the first worker.
  private func turnHere(_ plan: Plan) {
    let start = ContinuousClock.now
    workers[0].belongings.withLock { worker in
      var end = start
      _ = run(plan, 0, &worker, since: &end)
    }
    if let share { share.cores.leave(share.model, after: start.duration(to: .now).seconds) }
    let wake = boarding.withLock { boarding in
      guard !plan.riders.isEmpty else { return boarding.workersToWake() }
      // Whoever is left is the worker's.
      let isDone = boarding.carousel.queuedCount == 0 && boarding.carousel.seatedCount == 0
      boarding.isTurning[0] = !isDone
      return (isDone ? [] : [0]) + boarding.workersToWake()
    }
    self.start(wake)
  }

  /// Has workers turn that count as turning already.
  func start(_ wake: [Int]) {
    for worker in wake { workers[worker].queue.async { self.turn(worker) } }
  }

  /// What a worker does next.
  private struct Plan {
    let turn: Turn
    let riders: [TurnRider]
    /// What goes on with the scores of each, where anything does.
    var generations: [Generation?]
    let way: WorkDivision.Way
    /// Those whose deadline passed, or will before they could be done.
    let expired: [Rider]
  }

  /// Turns until nobody is left.
  private func turn(_ index: Int) {
    workers[index].belongings.withLock { worker in
      var end = ContinuousClock.now
      if let share { share.cores.enter(share.model) }
      while true {
        let start = ContinuousClock.now
        let plan = boarding.withLock { self.plan(index, &$0, states: worker.states) }
        let goesOn = run(plan, index, &worker, since: &end)
        let seconds = start.duration(to: .now).seconds
        guard goesOn else {
          if let share { share.cores.leave(share.model, after: seconds) }
          break
        }
        if let share { share.cores.goOn(share.model, after: seconds) }
      }
      worker.workspace.trim()
    }
  }

  /// Takes a turn as planned; returns false where nobody rides.
  ///
  /// - Parameter end: when the turn before ended, and then when this one did. What a turn costs is all the time
  ///   between.
  private func run(
    _ plan: Plan, _ index: Int, _ worker: inout Worker.Belongings,
    since end: inout ContinuousClock.Instant
  ) -> Bool {
    var plan = plan
    refuse(plan.expired)
    guard !plan.riders.isEmpty else { return false }
    for move in plan.turn.moves { worker.states.move(from: move.from, to: move.to) }
    let start = ContinuousClock.now
    graph.forward(
      plan.riders, states: &worker.states, workspace: &worker.workspace,
      crew: plan.way == .together ? crew : nil)
    let computed = start.duration(to: .now).seconds
    let tokens = draw(&plan, from: worker.workspace)
    let finished = finish(
      plan, tokens, worker: index, belongings: worker,
      seconds: (computed, end.duration(to: .now).seconds))
    end = .now
    for rider in finished { rider.group.finish(rider.index, with: rider.prediction(of: graph)) }
    return true
  }

  /// How often the deadlines of parked riders are looked at, while any has one: no turn may come that would.
  private static let watchSeconds = 0.05

  /// Refuses parked riders whose deadline passed, for as long as there are any with one.
  private func refuseLateParkedLater() {
    DispatchQueue.global().asyncAfter(deadline: .now() + Self.watchSeconds) { [weak self] in
      guard let self else { return }
      let (late, goesOn) = boarding.withLock { boarding in
        let now = ContinuousClock.now
        let late = boarding.parked.filter {
          boarding.riders[$0]?.deadline.map { $0 <= now } ?? false
        }
        boarding.parked.subtract(late)
        boarding.isWatched = boarding.parked.contains { boarding.riders[$0]?.deadline != nil }
        return (
          late.compactMap { boarding.riders.removeValue(forKey: $0) }, boarding.isWatched
        )
      }
      refuse(late)
      if goesOn { refuseLateParkedLater() }
    }
  }

  private func refuse(_ expired: [Rider]) {
    for rider in expired {
      guard let timeout = rider.timeout else { preconditionFailure("expired without a deadline") }
      let refusal = Refusal.deadlinePassed(timeout: timeout)
      if rider.group.refuse(refusal) { metrics.count(refusal) }
    }
  }

  /// What a worker does next; it turns no more where nobody rides with it.
  ///
  /// - Parameter states: those of the worker's seats; nil where nobody has one.
  private func plan(_ worker: Int, _ boarding: inout Boarding, states: SeatStates?) -> Plan {
    let now = ContinuousClock.now
    let turn = boarding.carousel.nextTurn(worker: worker, now: now, costs: boarding.costs)
    if let states {
      // In this hold of the lock: another worker may let them board at once.
      for rotation in turn.rotations {
        boarding.riders[rotation.rider]?.park(seat: rotation.seat, states: states, graph: graph)
      }
    } else {
      precondition(turn.rotations.isEmpty)
    }
    if turn.parts.isEmpty { boarding.isTurning[worker] = false }
    for boarded in turn.boardings {
      guard let rider = boarding.riders[boarded.rider], !rider.hasBoarded else { continue }
      metrics.countBoarding(
        waited: rider.arrived.duration(to: now).seconds, foundSeat: rider.foundSeat)
    }
    var riders: [TurnRider] = []
    var generations: [Generation?] = []
    riders.reserveCapacity(turn.parts.count)
    generations.reserveCapacity(turn.parts.count)
    for part in turn.parts {
      guard let place = boarding.riders.index(forKey: part.rider) else {
        preconditionFailure("a rider that the engine does not know")
      }
      riders.append(boarding.riders.values[place].part(part))
      generations.append(boarding.riders.values[place].generation(after: part))
    }
    let isByItself =
      boarding.isTurning.count(where: \.self) == 1
      && !(share.map { $0.cores.areShared(by: $0.model) } ?? false)
    return Plan(
      turn: turn, riders: riders, generations: generations,
      way: crew != nil && isByItself ? boarding.division.choose(riders: riders.count) : .alone,
      expired: turn.expired.compactMap {
        boarding.resumed.remove($0)
        return boarding.riders.removeValue(forKey: $0)
      })
  }

  /// A token that was drawn, nil where its rider has no generation, and what its reader said to it.
  typealias DrawnToken = (token: Int32, reply: TokenReply)?

  /// Draws the tokens of those who write text, and hands them to their readers.
  private func draw(_ plan: inout Plan, from workspace: Workspace) -> [DrawnToken] {
    plan.generations.indices.map { index in
      guard var generation = plan.generations[index].take() else { return nil }
      defer { plan.generations[index] = generation }
      let scores = workspace.values(ofOutput: generation.output, rider: index)
      let token = generation.sampler.draw(from: scores)
      let reply = generation.onToken(token)
      return (token ?? 0, token == nil ? .stop : reply)
    }
  }

  /// Takes what the turn reported; returns the riders that are done.
  ///
  /// - Parameter seconds: those of the pass over the weights, and those since the turn before.
  private func finish(
    _ plan: Plan, _ tokens: [DrawnToken], worker: Int, belongings: Worker.Belongings,
    seconds: (computing: Double, all: Double)
  ) -> [Rider] {
    let parts = plan.turn.parts
    let steps = parts.reduce(0) { $0 + $1.steps }
    let (finished, startsWatch) = boarding.withLock { boarding in
      if crew != nil {
        boarding.division.record(
          riders: parts.count, plan.way, secondsPerStep: seconds.computing / Double(steps))
      }
      boarding.costs.record(
        riders: parts.count, longest: parts.reduce(0) { Swift.max($0, $1.steps) }, total: steps,
        seconds: seconds.all)
      boarding.carousel.turnSteps = boarding.costs.turnSteps
      var finished: [Rider] = []
      var startsWatch = false
      for (index, part) in parts.enumerated() {
        // A client may have left while the turn ran. The others are changed in their places: there are as many of them as
        // steps, and the other workers wait for the lock.
        guard let place = boarding.riders.index(forKey: part.rider) else { continue }
        guard !boarding.riders.values[place].group.isCompleted else {
          // Another sequence of its request was refused.
          boarding.riders.remove(at: place)
          boarding.carousel.alight(seat: part.seat, worker: worker)
          boarding.resumed.remove(part.rider)
          continue
        }
        boarding.riders.values[place].take(
          part, index: index, from: belongings.workspace, states: belongings.states, graph: graph)
        guard part.finishes else { continue }
        let next = boarding.riders.values[place].next(
          plan.generations[index], tokens[index], graph)
        switch next {
        case .steps(let steps):
          boarding.carousel.extend(seat: part.seat, worker: worker, by: steps)
        // Where too many are parked, a reader's events pile up instead, as far as its text goes.
        case .pause
        where boarding.resumed.remove(part.rider) != nil
          || boarding.parked.count >= limits.maxQueuedSequences:
          boarding.carousel.extend(
            seat: part.seat, worker: worker, by: boarding.riders.values[place].stepsLeft)
        case .pause:
          boarding.carousel.alight(seat: part.seat, worker: worker)
          boarding.riders.values[place].park(
            seat: part.seat, states: belongings.states, graph: graph)
          boarding.parked.insert(part.rider)
          if boarding.riders.values[place].deadline != nil, !boarding.isWatched {
            boarding.isWatched = true
            startsWatch = true
          }
        case .end:
          boarding.carousel.alight(seat: part.seat, worker: worker)
          boarding.resumed.remove(part.rider)
          finished.append(boarding.riders.remove(at: place).value)
        }
      }
      return (finished, startsWatch)
    }
    if startsWatch { refuseLateParkedLater() }
    metrics.countTurn(
      rows: parts.count, steps: steps, finished: finished.count, seconds: seconds.all)
    return finished
  }
}
