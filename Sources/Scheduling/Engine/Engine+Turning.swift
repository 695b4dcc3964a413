import Dispatch
import Glibc
import Inference
import Synchronization

/// The turns of an engine, and the threads that take them.
extension Engine {
  /// Starts workers, which the carousel counts as turning already.
  func start(_ wake: [Int]) {
    for worker in wake { workers[worker].queue.async { self.turn(worker) } }
  }

  /// Takes a worker's turns until it has no rider left.
  private func turn(_ index: Int) {
    workers[index].state.withLock { worker in
      var end = ContinuousClock.now
      share?.enter()
      while true {
        let start = ContinuousClock.now
        var plan = state.withLock { state in
          state.plan(index, now: start, hasIdleCores: hasIdleCores) { worker.unseat($0) }
        }
        let goesOn = run(&plan, index, &worker, now: start, since: &end, mayHandOver: true)
        let seconds = start.duration(to: .now).seconds
        guard goesOn else {
          share?.leave(after: seconds)
          break
        }
        share?.goOn(after: seconds)
        // Event loops that wait for this core get it before the next turn.
        if seconds > Self.leastSecondsBeforeOthers { sched_yield() }
      }
      worker.trim()
    }
    callShutdownCompletions(state.withLock { $0.takeShutdownCompletions() })
  }

  /// A worker whose turn took more seconds than this yields its core to other threads; after shorter turns that is not
  /// worth the system call.
  static let leastSecondsBeforeOthers = 0.0003

  /// Whether no other engine uses the cores.
  private var hasIdleCores: Bool {
    !(share?.isShared ?? false)
  }

  // MARK: - Turns on the thread that brought the riders

  /// Starts turning for riders whose departure was postponed.
  ///
  /// If the calling thread is idle (`mayTurnHere`) and there is only one rider, a short one, this thread computes it
  /// now. Workers take over riders that come in the meantime.
  func depart(mayTurnHere: Bool) {
    let now = ContinuousClock.now
    let (wake, plan) = state.withLock { state -> ([Int], EngineState.Plan?) in
      guard mayTurnHere, let rider = state.carousel.loneRider,
        Departure.isShort(rider, turnSteps: state.carousel.turnSteps, costs: state.costs),
        share?.tryEnter() ?? true
      else { return (state.claimIdleWorkers(), nil) }
      // Planned under the same lock, so that no other rider boards in its place. As no rider is on board, none leaves a
      // seat.
      return ([], state.plan(0, now: now, hasIdleCores: hasIdleCores) { _ in nil })
    }
    start(wake)
    if var plan { takeInlineTurn(&plan, now: now) }
  }

  /// Takes one turn in place of the first worker.
  private func takeInlineTurn(_ plan: inout EngineState.Plan, now: ContinuousClock.Instant) {
    let start = ContinuousClock.now
    let (wake, end) = workers[0].state.withLock { worker in
      var end = start
      let hasTurned = run(&plan, 0, &worker, now: now, since: &end, mayHandOver: false)
      share?.leave(after: start.duration(to: .now).seconds)
      // The worker takes over the riders that are left.
      let (wake, ended) = state.withLock { state in
        (
          hasTurned ? state.handOver(worker: 0) : state.claimIdleWorkers(),
          state.takeShutdownCompletions()
        )
      }
      if wake.isEmpty { worker.clear() }
      return (wake, ended)
    }
    self.start(wake)
    callShutdownCompletions(end)
  }

  // MARK: - A turn

  /// Takes a turn as planned; returns false if no rider is on board.
  ///
  /// - Parameters:
  ///   - now: when the turn was planned.
  ///   - mayHandOver: whether this thread has a next turn to take, so that long answers may be left to another thread.
  ///   - end: when the previous turn ended; set to when this one did. The time in between is the turn's cost.
  private func run(
    _ plan: inout EngineState.Plan, _ index: Int, _ worker: inout WorkerState,
    now: ContinuousClock.Instant, since end: inout ContinuousClock.Instant, mayHandOver: Bool
  ) -> Bool {
    refuse(plan.expired)
    for rider in plan.boarding where !rider.hasBoarded {
      metrics.countBoarding(
        waited: rider.arrived.duration(to: now).seconds, foundSeat: rider.foundSeat)
    }
    worker.seat(plan.takeBoarding(), as: plan.turn)
    guard !plan.turn.parts.isEmpty else { return false }
    let start = ContinuousClock.now
    worker.compute(plan.turn, crew: plan.way == .together ? crew : nil)
    let computing = start.duration(to: .now).seconds
    var next: [Rider.Next] = []
    answering { next = worker.advance(plan.turn) }
    let seconds = end.duration(to: .now).seconds
    let (finished, othersWait, checkAgainAt) = state.withLock { state in
      state.record(plan, computing: computing, all: seconds)
      return state.finish(plan.turn, next, worker: index, &worker, now: .now)
    }
    if let checkAgainAt { refuseLateParked(at: checkAgainAt) }
    metrics.countTurn(
      rows: plan.turn.parts.count, steps: plan.turn.steps, finished: finished.count,
      seconds: seconds)
    end = .now
    let answers = finished.compactMap { rider in
      rider.group.finish(rider.index, with: rider.prediction(of: graph))
    }
    deliver(answers, of: mayHandOver && othersWait ? workers[index] : nil)
    return true
  }

  /// The most numbers in a turn's answers that a worker delivers itself while riders wait for the next turn: that takes
  /// some 0.15 ms, where a turn aims at 5 ms. Handing over answers of a dozen numbers would cost 64 clients 4 % of
  /// their rate.
  static let maxNumbersBetweenTurns = 4096

  /// Delivers the answers of a turn: by another thread, in one hop, if they are long and `worker` has a next turn to
  /// take.
  private func deliver(_ answers: [RiderGroup.Answer], of worker: Worker?) {
    guard let worker, answers.reduce(0, { $0 + $1.numberCount }) > Self.maxNumbersBetweenTurns
    else {
      return answering { for answer in answers { answer.deliver() } }
    }
    worker.answers.async(group: deliveries) { [self] in
      answering { for answer in answers { answer.deliver() } }
    }
  }

  // MARK: - Deadlines

  /// Refuses the parked riders whose deadline passed, at `time` and again as long as any of them has a deadline.
  private func refuseLateParked(at time: ContinuousClock.Instant) {
    let seconds = Swift.max(0, ContinuousClock.now.duration(to: time).seconds)
    timers.asyncAfter(deadline: .now() + seconds) { [weak self] in
      guard let self else { return }
      // The timer may fire a little before `time` by the clock.
      let (late, next, end) = state.withLock { state in
        let (late, next) = state.removeLateParked(now: Swift.max(time, .now))
        return (late, next, state.takeShutdownCompletions())
      }
      refuse(late)
      if let next { refuseLateParked(at: next) }
      callShutdownCompletions(end)
    }
  }

  private func refuse(_ late: [Rider]) {
    for rider in late {
      guard let timeout = rider.timeout else { preconditionFailure("late without a deadline") }
      let refusal = Refusal.deadlinePassed(timeout: timeout)
      if rider.group.refuse(refusal) { metrics.count(refusal) }
    }
  }
}
