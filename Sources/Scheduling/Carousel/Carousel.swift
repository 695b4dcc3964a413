/// The batch that never stops turning: which riders wait, which ride in which seat, and how far the next turn goes.
///
/// A state machine without threads or clocks. At every turn waiting riders board free seats, all riders advance by a
/// chunk of steps, and riders whose steps are done alight. Seats are rows of the state matrices. They stay dense: when
/// one falls free, the rider in the last seat moves into it.
///
/// Several workers may turn at once: all board riders from one queue, and each has seats of its own.
package struct Carousel {
  package typealias Instant = ContinuousClock.Instant

  /// The steps that a turn aims at, summed over its riders: enough rows to reuse the weights well, few enough that a
  /// newcomer does not wait long for the turn to end.
  package var turnSteps = Self.maxTurnSteps {
    didSet { precondition(turnSteps > 0) }
  }
  /// The highest `turnSteps`: more rows would not reuse the weights any better.
  package static let maxTurnSteps = 512
  /// The fewest steps that a turn advances a rider by, unless the rider has fewer left.
  package static let minimumChunk = 4
  /// The riders that one worker takes before another one is woken: enough rows to fill the kernels' tiles.
  package static let workerShare = 8
  /// The least time for which a rider keeps its seat while others wait. A newcomer's wait then grows with the number of
  /// riders ahead of it and not with the length of their sequences. The price: once in this time, a rider's state is
  /// copied out and in again.
  package static let seatTime = Duration.milliseconds(20)
  /// The least time for which a rider keeps its seat while a brief rider waits for it. The price is one such copy for
  /// each brief rider.
  static let briefSeatTime = Duration.milliseconds(1)
  /// A rider with a deadline leaves its seat only if the time left is at least `factor` times the time that it needs
  /// when sharing the seats with all other riders, plus `seconds`.
  static let rotationSlack = (factor: 2.0, seconds: 0.5)

  package let limits: EngineLimits
  var queue: BoardingQueue
  var seats: Seats
  var admission: Admission
  /// Riders whose readers are behind: they wait for `resume`, without a seat.
  private var parked: [RiderID: Passenger] = [:]
  /// When to check the deadlines of parked riders next; nil while none of them has one.
  private var nextDeadlineCheck: Instant?
  /// By worker: whether it turns, or is about to.
  var isTurning: [Bool]
  private var nextRider: UInt64 = 0

  /// - Parameter workerCount: the workers that may turn at once; no more than `maxSeats` are used.
  package init(
    limits: EngineLimits, chunking: Chunking, workerCount: Int = 1, start: Instant = .now
  ) {
    self.limits = limits
    queue = BoardingQueue(chunking: chunking)
    let workerCount = Swift.max(1, Swift.min(workerCount, limits.maxSeats))
    seats = Seats(limit: limits.maxSeats, workerCount: workerCount)
    isTurning = Array(repeating: false, count: workerCount)
    admission = Admission(limits: limits, start: start)
  }

  // MARK: - Riders and workers

  package var chunking: Chunking { queue.chunking }
  package var workerCount: Int { seats.workerCount }
  /// The most seats that a worker ever has.
  package var seatsPerWorker: Int { seats.perWorker }
  /// Riders waiting.
  package var queuedCount: Int { queue.count }
  /// The steps of waiting riders that count against `max_queued_steps`.
  package var queuedSteps: Int { queue.steps }
  /// Riders on board.
  package var seatedCount: Int { seats.riderCount }
  /// Riders without a seat, whose readers are behind.
  package var parkedCount: Int { parked.count }
  /// Whether no rider waits, rides or is parked, and no worker turns.
  var isEmpty: Bool { queuedCount + seatedCount + parkedCount + turningCount == 0 }
  /// The number of places promised to refused clients, and the share of such clients that come back for them.
  package var promises: (count: Int, keptShare: Double) {
    (admission.bookings.count, admission.bookings.keptShare)
  }
  /// Whether all waiting riders find a seat at the next turn.
  package var hasFreeSeat: Bool { queuedCount + seatedCount <= limits.maxSeats }
  /// If exactly one rider waits, none rides and no worker turns, that rider's journey; else nil.
  package var loneRider: Journey? {
    queuedCount == 1 && seatedCount == 0 && turningCount == 0 ? queue[0].passenger.journey : nil
  }
  /// Workers that turn, or are about to.
  package var turningCount: Int { isTurning.count(where: \.self) }
  /// The number of workers that the riders are enough for, with `workerShare` riders each.
  package var neededWorkers: Int {
    let share = Swift.min(Self.workerShare, seatsPerWorker)
    return Swift.min(workerCount, (queuedCount + seatedCount + share - 1) / share)
  }

  // MARK: - Workers

  /// Wakes as many workers as the riders need. Returns those that the caller has to start; they count as turning.
  package mutating func claimIdleWorkers() -> [Int] {
    let missing = neededWorkers - turningCount
    guard missing > 0 else { return [] }
    let idle = Array(isTurning.indices.filter { !isTurning[$0] }.prefix(missing))
    for worker in idle { isTurning[worker] = true }
    return idle
  }

  /// Ends a turn that another thread took in place of `worker`. Returns the workers that the caller has to start:
  /// `worker` itself unless no rider is left, and any others that are needed.
  package mutating func handOver(worker: Int) -> [Int] {
    isTurning[worker] = queuedCount + seatedCount > 0
    return (isTurning[worker] ? [worker] : []) + claimIdleWorkers()
  }

  // MARK: - Riders come

  /// Queues the riders of a request, all or none.
  ///
  /// - Parameters:
  ///   - terms: how long the client waits, and how it is recognised.
  ///   - costs: what turns have cost, from which it follows how long newcomers wait and when a refused client may come
  ///     back.
  /// - Returns: the riders' names, in order.
  package mutating func arrive(
    _ journeys: [Journey], terms: RideTerms, now: Instant, costs: TurnCosts
  ) throws(Refusal) -> [RiderID] {
    try admission.admit(
      journeys, terms: terms,
      to: EngineLoad(queue: queue, seats: seats, costs: costs, turnSteps: turnSteps), now: now)
    return journeys.map { journey in
      let rider = RiderID(rawValue: nextRider)
      nextRider += 1
      let passenger = Passenger(rider: rider, journey: journey, deadline: terms.deadline)
      queue.append(.init(passenger: passenger, isBrief: isBrief(journey)))
      return rider
    }
  }

  /// Whether a rider is done within one turn even when all seats are taken. Such riders board before the others, so
  /// that a request of a few steps does not wait until riders with thousands of steps have had their time in a seat.
  func isBrief(_ journey: Journey) -> Bool {
    journey.all <= Swift.max(Self.minimumChunk, turnSteps / limits.maxSeats)
  }

  // MARK: - Riders whose steps are done

  /// The rider in `seat` is done: the seat falls free. Returns false where its client had left before.
  @discardableResult
  package mutating func alight(seat: Int, worker: Int = 0) -> Bool {
    seats.vacate(seat, worker: worker)
  }

  /// The rider in `seat`, whose steps are done, goes on for `steps` more from its present state.
  package mutating func extend(seat: Int, worker: Int = 0, by steps: Int) {
    seats.update(seat, worker: worker) { passenger in
      precondition(steps > 0 && passenger.steps == 0)
      passenger.steps = steps
      passenger.following = Swift.max(0, passenger.following - steps)
    }
  }

  // MARK: - Readers that are behind

  /// What happens to a rider whose reader is behind.
  package enum Pause: Equatable, Sendable {
    /// It is parked: its seat falls free, and `resume` lets it board again. If `checkAgainAt` is not nil, the caller has
    /// to call `removeLateParked` at that time: this rider's deadline is now the next one to check.
    case parked(checkAgainAt: Instant?)
    /// It goes on in its seat: its reader has caught up in the meantime, or too many riders are parked. In the latter
    /// case its unread text accumulates, at most to the end of the text.
    case goesOn
    /// Its client had left before.
    case gone
  }

  /// A check of the parked riders' deadlines sets the next one no sooner than this. A timer makes the checks, as there
  /// may be no turn to do so.
  package static let minDeadlineCheckInterval = Duration.milliseconds(50)

  /// The rider in `seat` has drawn a token and its reader does not want the next one yet.
  ///
  /// - Parameter journey: the steps that the rider still has.
  package mutating func pause(
    seat: Int, worker: Int = 0, before journey: Journey, now: Instant
  ) -> Pause {
    guard !seats[worker][seat].isVacated else { return .gone }
    var passenger = seats[worker][seat].passenger
    guard !passenger.isResumed, parked.count < limits.maxQueuedSequences else {
      seats.update(seat, worker: worker) { $0.isResumed = false }
      extend(seat: seat, worker: worker, by: journey.steps)
      return .goesOn
    }
    seats.vacate(seat, worker: worker)
    passenger.steps = journey.steps
    passenger.following = journey.following
    passenger.hasBoarded = true
    parked[passenger.rider] = passenger
    guard let deadline = passenger.deadline, nextDeadlineCheck.map({ deadline < $0 }) ?? true else {
      return .parked(checkAgainAt: nil)
    }
    nextDeadlineCheck = deadline
    return .parked(checkAgainAt: deadline)
  }

  /// A rider's reader has caught up. A parked rider is queued again, before all others; a rider that is not parked
  /// ignores its next pause.
  package mutating func resume(_ rider: RiderID) {
    if let passenger = parked.removeValue(forKey: rider) {
      queue.prepend(.init(passenger: passenger))
    } else if let (worker, seat) = seats.place(of: rider) {
      seats.update(seat, worker: worker) { $0.isResumed = true }
    } else {
      queue.update(rider) { $0.isResumed = true }
    }
  }

  /// Removes the parked riders whose deadline passed. Returns them, and when to call this again, nil if no parked rider
  /// has a deadline. Does nothing before the time that was last returned.
  package mutating func removeLateParked(
    now: Instant
  ) -> (late: [RiderID], checkAgainAt: Instant?) {
    guard let time = nextDeadlineCheck, time <= now else { return ([], nil) }
    let late = parked.values.filter { $0.isLate(at: now) }.map(\.rider).sorted()
    for rider in late { parked[rider] = nil }
    nextDeadlineCheck = parked.values.lazy.compactMap(\.deadline).min().map {
      Swift.max($0, now + Self.minDeadlineCheckInterval)
    }
    return (late, nextDeadlineCheck)
  }

  // MARK: - Riders leave

  /// A client left: its waiting and parked riders are removed at once, those on board by the next turn.
  package mutating func leave(_ riders: [RiderID]) {
    guard riders.count > 1 else {
      if let rider = riders.first { leave(rider) }
      return
    }
    // One pass over the queue, however many riders leave.
    var left = Set(riders)
    seats.vacate(&left)
    guard !left.isEmpty else { return }
    queue.remove(left)
    for rider in left { parked[rider] = nil }
  }

  package mutating func leave(_ rider: RiderID) {
    if let (worker, seat) = seats.place(of: rider) {
      seats.vacate(seat, worker: worker)
    } else if parked.removeValue(forKey: rider) == nil {
      queue.remove(rider)
    }
  }
}
