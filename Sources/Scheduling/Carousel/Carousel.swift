/// The batch that never stops turning: which riders wait, which ride in which seat, and how far the next turn goes.
///
/// A state machine without threads or clocks. At every turn waiting riders board free seats, all
/// riders advance by a chunk of steps, and those whose steps are done alight. Seats are rows of the state
/// matrices: they stay dense, so when one falls free the last one moves into its place.
///
/// Several workers may turn at once: all board from one queue, and each has seats of its own.
package struct Carousel {
  package typealias Instant = ContinuousClock.Instant

  /// Steps of all riders together that a turn aims at: enough rows to reuse the weights well, few enough that a
  /// newcomer does not wait long for the turn to end.
  package var turnSteps = Self.maxTurnSteps {
    didSet { precondition(turnSteps > 0) }
  }
  /// More rows use the weights no better.
  package static let maxTurnSteps = 512
  /// The fewest steps that a turn advances a rider by, while it has as many.
  package static let minimumChunk = 4
  /// Riders that one worker takes before another is worth waking: enough rows to fill the kernels' tiles.
  package static let workerShare = 8
  /// How long a rider keeps its seat at least, while others wait: a newcomer's wait grows with the riders ahead of it
  /// and not with the length of what they ride for. Its state is copied out and in again, once in so long.
  package static let seatTime = Duration.milliseconds(20)
  /// How long it keeps it while there are brief riders, one of whom may take its place: a copy a brief rider.
  static let briefSeatTime = Duration.milliseconds(1)
  /// A rider with a deadline leaves its seat only while it has so many times the time that it needs, sharing the seats
  /// with all who are there, and so much more.
  static let rotationSlack = (factor: 2.0, seconds: 0.5)

  package let limits: EngineLimits
  var queue: BoardingQueue
  var seats: Seats
  var admission: Admission
  /// Riders whose readers are behind: they wait for `resume`, without a seat.
  private var parked: [RiderID: Passenger] = [:]
  /// When the deadlines of parked riders are looked at next; nil while none has one.
  private var lookTime: Instant?
  /// By worker: whether it turns, or is about to.
  var isTurning: [Bool]
  private var nextRider: UInt64 = 0

  /// - Parameter workerCount: workers that turn at once; at most one a seat is made use of.
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
  /// Steps of all waiting riders.
  package var queuedSteps: Int { queue.steps }
  /// Riders on board.
  package var seatedCount: Int { seats.riderCount }
  /// Riders without a seat, whose readers are behind.
  package var parkedCount: Int { parked.count }
  /// Whether no rider waits, rides or is parked, and no worker turns.
  var isEmpty: Bool { queuedCount + seatedCount + parkedCount + turningCount == 0 }
  /// The places promised to clients that were refused, and the share of these clients that come.
  package var promises: (count: Int, keptShare: Double) {
    (admission.bookings.count, admission.bookings.keptShare)
  }
  /// Whether all waiting riders find a seat at the next turn.
  package var hasFreeSeat: Bool { queuedCount + seatedCount <= limits.maxSeats }
  /// The journey of the only rider that waits, where no other rides and no worker turns.
  package var loneRider: Journey? {
    queuedCount == 1 && seatedCount == 0 && turningCount == 0 ? queue[0].passenger.journey : nil
  }
  /// Workers that turn, or are about to.
  package var turningCount: Int { isTurning.count(where: \.self) }
  /// Workers that have enough to do.
  package var neededWorkers: Int {
    let share = Swift.min(Self.workerShare, seatsPerWorker)
    return Swift.min(workerCount, (queuedCount + seatedCount + share - 1) / share)
  }

  // MARK: - Workers

  /// The workers that have to start turning, now that there are more riders; they count as turning.
  package mutating func workersToWake() -> [Int] {
    let missing = neededWorkers - turningCount
    guard missing > 0 else { return [] }
    let idle = Array(isTurning.indices.filter { !isTurning[$0] }.prefix(missing))
    for worker in idle { isTurning[worker] = true }
    return idle
  }

  /// A turn was taken in place of a worker; returns the workers that have to start turning, that one among them unless no
  /// rider is left.
  package mutating func handOver(worker: Int) -> [Int] {
    isTurning[worker] = queuedCount + seatedCount > 0
    return (isTurning[worker] ? [worker] : []) + workersToWake()
  }

  // MARK: - Riders come

  /// Queues riders, all or none.
  ///
  /// - Parameters:
  ///   - terms: how long their client waits, and how it is known.
  ///   - costs: what turns have cost: how long newcomers wait, and when a refused client may come back.
  /// - Returns: their names, in order.
  package mutating func arrive(
    _ journeys: [Journey], terms: RideTerms, now: Instant, costs: TurnCosts
  ) throws(Refusal) -> [RiderID] {
    try admission.admit(
      journeys, terms: terms,
      to: Crowd(queue: queue, seats: seats, costs: costs, turnSteps: turnSteps), now: now)
    return journeys.map { journey in
      let rider = RiderID(rawValue: nextRider)
      nextRider += 1
      let passenger = Passenger(rider: rider, journey: journey, deadline: terms.deadline)
      queue.append(.init(passenger: passenger, isBrief: isBrief(journey)))
      return rider
    }
  }

  /// Whether a rider is done within a turn even when all seats are taken. Such riders board before the others, so that
  /// a question of a few steps does not wait until those who have thousands before them have had their time.
  func isBrief(_ journey: Journey) -> Bool {
    journey.all <= Swift.max(Self.minimumChunk, turnSteps / limits.maxSeats)
  }

  // MARK: - Riders whose steps are done

  /// The rider in `seat` is done: the seat falls free. Returns false where its client had left before.
  @discardableResult
  package mutating func alight(seat: Int, worker: Int = 0) -> Bool {
    seats.vacate(seat, worker: worker)
  }

  /// The rider in `seat` goes on for `steps` more, from the state that it has.
  package mutating func extend(seat: Int, worker: Int = 0, by steps: Int) {
    seats.update(seat, worker: worker) { passenger in
      precondition(steps > 0 && passenger.steps == 0)
      passenger.steps = steps
      passenger.following = Swift.max(0, passenger.following - steps)
    }
  }

  // MARK: - Readers that are behind

  /// What becomes of a rider whose reader is behind.
  package enum Pause: Equatable, Sendable {
    /// It is parked: its seat falls free, and `resume` lets it board again. Where its deadline is the next of those who are
    /// parked, `removeLateParked` is to be called then.
    case parked(lookAgainAt: Instant?)
    /// It goes on in its seat: its reader caught up meanwhile, or too many are parked. Then its text piles up, to its end at
    /// the most.
    case goesOn
    /// Its client had left before.
    case gone
  }

  /// The longest time between two looks at the deadlines of parked riders: there may be no turn that looks.
  package static let lookInterval = Duration.milliseconds(50)

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
    guard let deadline = passenger.deadline, lookTime.map({ deadline < $0 }) ?? true else {
      return .parked(lookAgainAt: nil)
    }
    lookTime = deadline
    return .parked(lookAgainAt: deadline)
  }

  /// A rider's reader caught up. A parked rider boards again before those that wait; one that is not parked yet does not pause
  /// the next time.
  package mutating func resume(_ rider: RiderID) {
    if let passenger = parked.removeValue(forKey: rider) {
      queue.prepend(.init(passenger: passenger))
    } else if let (worker, seat) = seats.place(of: rider) {
      seats.update(seat, worker: worker) { $0.isResumed = true }
    } else {
      queue.update(rider) { $0.isResumed = true }
    }
  }

  /// Removes the parked riders whose deadline passed; returns them, and when to look again. Does nothing before that time.
  package mutating func removeLateParked(
    now: Instant
  ) -> (late: [RiderID], lookAgainAt: Instant?) {
    guard let time = lookTime, time <= now else { return ([], nil) }
    let late = parked.values.filter { $0.isLate(at: now) }.map(\.rider).sorted()
    for rider in late { parked[rider] = nil }
    lookTime = parked.values.lazy.compactMap(\.deadline).min().map {
      Swift.max($0, now + Self.lookInterval)
    }
    return (late, lookTime)
  }

  // MARK: - Riders leave

  /// A client left: its waiting riders are removed at once, those on board by the next turn.
  package mutating func leave(_ riders: [RiderID]) {
    guard riders.count > 1 else {
      if let rider = riders.first { leave(rider) }
      return
    }
    // One pass over the queue, however many they are.
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
