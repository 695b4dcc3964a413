import Inference

/// The state that requests and turns share: the carousel, and the riders that have no seat. Riders on board belong to their
/// workers, so that no other thread waits while a turn runs or its results are copied.
///
/// Without threads or clocks.
struct EngineState {
  let graph: ModelGraph
  var carousel: Carousel
  private(set) var costs = TurnCosts()
  /// Whether newcomers are refused.
  private var isDraining = false
  /// The completions to call once no rider is left and no worker turns.
  private var end: [@Sendable () -> Void] = []
  /// Decides whether turns are divided among cores; nil where that can't pay.
  private var division: WorkDivision?
  /// Riders that wait or are parked.
  private var riders: [RiderID: Rider] = [:]

  init(graph: ModelGraph, carousel: Carousel, dividesWork: Bool = false) {
    self.graph = graph
    self.carousel = carousel
    division = dividesWork ? WorkDivision() : nil
  }

  // MARK: - Requests

  /// Queues the riders of a request, all or none.
  mutating func admit(
    _ request: RideRequest, _ journeys: [Journey], now: ContinuousClock.Instant
  ) throws(Refusal) -> [RiderID] {
    guard !isDraining else { throw .draining }
    let names = try carousel.arrive(journeys, terms: request.terms, now: now, costs: costs)
    let foundSeat = carousel.hasFreeSeat
    for (index, name) in names.enumerated() {
      riders[name] = Rider(request, index: index, foundSeat: foundSeat)
    }
    return names
  }

  /// Refuses newcomers from now on.
  ///
  /// - Parameter completion: `takeShutdownCompletions` returns it once all riders are gone and no worker turns.
  mutating func drain(_ completion: @escaping @Sendable () -> Void) {
    isDraining = true
    end.append(completion)
  }

  /// Removes and returns the completions to call now; none as long as a rider waits, rides or is parked, or a worker
  /// turns.
  mutating func takeShutdownCompletions() -> [@Sendable () -> Void] {
    guard !end.isEmpty, carousel.isEmpty else { return [] }
    defer { end = [] }
    return end
  }

  /// Removes riders whose client left; returns those without a seat, for the caller to release.
  mutating func leave(_ names: [RiderID]) -> [Rider] {
    carousel.leave(names)
    return names.compactMap { riders.removeValue(forKey: $0) }
  }

  /// A rider's reader has caught up.
  mutating func resume(_ name: RiderID) { carousel.resume(name) }

  /// Removes the parked riders whose deadline passed; returns when to look again, nil for not at all.
  mutating func removeLateParked(
    now: ContinuousClock.Instant
  ) -> (late: [Rider], checkAgainAt: ContinuousClock.Instant?) {
    let (late, next) = carousel.removeLateParked(now: now)
    return (late.compactMap { riders.removeValue(forKey: $0) }, next)
  }

  // MARK: - Turns

  /// Wakes as many workers as the riders need. Returns those that the caller has to start; they count as turning.
  mutating func claimIdleWorkers() -> [Int] { carousel.claimIdleWorkers() }

  /// Ends a turn that another thread took in place of `worker`. Returns the workers that the caller has to start.
  mutating func handOver(worker: Int) -> [Int] { carousel.handOver(worker: worker) }

  /// The plan of a worker's next turn.
  struct Plan {
    let turn: Turn
    /// The riders that board, until `takeBoarding` hands them over.
    private(set) var boarding: [Rider]
    /// The riders whose deadline passed, or would pass before they are done.
    let expired: [Rider]
    let way: WorkDivision.Way

    fileprivate init(
      turn: Turn, boarding: [Rider], expired: [Rider], way: WorkDivision.Way
    ) {
      (self.turn, self.boarding, self.expired, self.way) = (turn, boarding, expired, way)
    }

    /// Removes and returns the riders that board, so that only their worker keeps them.
    mutating func takeBoarding() -> [Rider] {
      defer { boarding = [] }
      return boarding
    }
  }

  /// Plans a worker's next turn; if that has no parts, the worker stops turning.
  ///
  /// - Parameters:
  ///   - hasIdleCores: whether no other engine uses cores.
  ///   - unseat: takes a rider out of a seat of the worker, with its state.
  mutating func plan(
    _ worker: Int, now: ContinuousClock.Instant, hasIdleCores: Bool,
    unseat: (_ seat: Int) -> Rider?
  ) -> Plan {
    let turn = carousel.nextTurn(worker: worker, now: now, costs: costs)
    // Stored at once, as another worker may board them next.
    for rotation in turn.rotations { riders[rotation.rider] = unseat(rotation.seat) }
    let expired =
      turn.expiredSeats.compactMap(unseat)
      + turn.expired.dropFirst(turn.expiredSeats.count).compactMap {
        riders.removeValue(forKey: $0)
      }
    let boarding = turn.boardings.map { boarding in
      guard let rider = riders.removeValue(forKey: boarding.rider) else {
        preconditionFailure("a rider that the engine does not know")
      }
      return rider
    }
    let mayDivide = hasIdleCores && carousel.turningCount == 1 && !turn.parts.isEmpty
    return Plan(
      turn: turn, boarding: boarding, expired: expired,
      way: mayDivide ? division?.choose(riders: turn.parts.count) ?? .alone : .alone)
  }

  /// Records what a turn cost.
  ///
  /// - Parameters:
  ///   - computing: the seconds that the pass over the weights took.
  ///   - all: the seconds since the end of the previous turn.
  mutating func record(_ plan: Plan, computing: Double, all: Double) {
    let (riders, steps) = (plan.turn.parts.count, plan.turn.steps)
    division?.record(riders: riders, plan.way, secondsPerStep: computing / Double(steps))
    costs.record(riders: riders, longest: plan.turn.longestPart, total: steps, seconds: all)
    carousel.turnSteps = costs.turnSteps
  }

  /// Does what each rider of a turn does next: go on, alight or pause.
  ///
  /// - Returns: the riders that are done, whether others wait or ride, and when to call `removeLateParked`, nil if that
  ///   has not changed.
  mutating func finish(
    _ turn: Turn, _ next: [Rider.Next], worker: Int, _ state: inout WorkerState,
    now: ContinuousClock.Instant
  ) -> (finished: [Rider], othersWait: Bool, checkAgainAt: ContinuousClock.Instant?) {
    var finished: [Rider] = []
    var checkAgainAt: ContinuousClock.Instant?
    for (part, next) in zip(turn.parts, next) {
      switch next {
      case .rides: break
      case .goesOn(let steps): carousel.extend(seat: part.seat, worker: worker, by: steps)
      case .leaves: carousel.alight(seat: part.seat, worker: worker)
      case .ends:
        // A client may have left while the turn ran.
        guard carousel.alight(seat: part.seat, worker: worker),
          let rider = state.removeRider(from: part.seat)
        else { continue }
        finished.append(rider)
      case .pauses(let journey):
        switch carousel.pause(seat: part.seat, worker: worker, before: journey, now: now) {
        case .gone: break
        case .goesOn: state.keep(part.seat)
        case .parked(let time):
          riders[part.rider] = state.removeRider(from: part.seat)
          checkAgainAt = time ?? checkAgainAt
        }
      }
    }
    return (finished, carousel.queuedCount + carousel.seatedCount > 0, checkAgainAt)
  }
}
