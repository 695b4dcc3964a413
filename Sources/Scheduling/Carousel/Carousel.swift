/// The batch that never stops turning: who waits, who rides in which seat, and how far the next turn goes.
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
  private var nextRider: UInt64 = 0

  /// - Parameter workerCount: workers that turn at once; at most one a seat is made use of.
  package init(
    limits: EngineLimits, chunking: Chunking, workerCount: Int = 1, start: Instant = .now
  ) {
    self.limits = limits
    queue = BoardingQueue(chunking: chunking)
    seats = Seats(
      limit: limits.maxSeats, workerCount: Swift.max(1, Swift.min(workerCount, limits.maxSeats)))
    admission = Admission(limits: limits, start: start)
  }

  // MARK: - Who is there

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
  /// Places promised to clients who were refused, and the share of them who come.
  package var promises: (count: Int, keptShare: Double) {
    (admission.bookings.count, admission.bookings.keptShare)
  }
  /// Whether everybody who waits finds a seat at the next turn.
  package var hasFreeSeat: Bool { queuedCount + seatedCount <= limits.maxSeats }
  /// The steps of the only rider that waits, where nobody rides.
  package var onlyWaiting: Journey? {
    queuedCount == 1 && seatedCount == 0 ? queue[0].passenger.journey : nil
  }
  /// Workers that have enough to do.
  package var neededWorkers: Int {
    let share = Swift.min(Self.workerShare, seatsPerWorker)
    return Swift.min(workerCount, (queuedCount + seatedCount + share - 1) / share)
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

  /// A rider that gave up its seat, though it was not done, boards again before those who wait.
  package mutating func rejoin(_ rider: RiderID, _ journey: Journey, deadline: Instant?) {
    var passenger = Passenger(rider: rider, journey: journey, deadline: deadline)
    passenger.hasBoarded = true
    queue.prepend(.init(passenger: passenger))
  }

  // MARK: - Riders whose steps are done

  /// The rider in `seat` is done: the seat falls free.
  package mutating func alight(seat: Int, worker: Int = 0) {
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

  // MARK: - Riders leave

  /// A client left with all of its riders: those who wait go at once, those on board by the next turn.
  package mutating func leave(_ riders: [RiderID]) {
    guard riders.count > 1 else {
      if let rider = riders.first { leave(rider) }
      return
    }
    // One pass over the queue, however many they are.
    var left = Set(riders)
    seats.vacate(&left)
    if !left.isEmpty { queue.remove(left) }
  }

  package mutating func leave(_ rider: RiderID) {
    if let (worker, seat) = seats.place(of: rider) {
      seats.vacate(seat, worker: worker)
    } else {
      queue.remove(rider)
    }
  }
}
