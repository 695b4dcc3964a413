/// Decides which riders may join the queue, and when the clients of refused riders are to come back.
///
/// The caller passes the riders that wait or ride now (`EngineLoad`). `Admission` itself keeps the promised places and the
/// workers' measured throughput.
struct Admission {
  typealias Instant = ContinuousClock.Instant

  /// The largest share of the time left to a deadline that the expected wait and ride may take. The rest is a margin,
  /// as costs vary.
  static let certainShare = 0.9
  /// The same share for newcomers while places are promised: the rest is for clients that come back for their places.
  static let newcomerShare = 0.6
  /// For how many seconds ahead newcomers leave promised places free: the ride of a rider of mean length, clamped to
  /// these bounds. All seats may fall free at once, and none before then.
  static let reservedSeconds = 0.5...5.0
  /// The share of the capacity, as estimated from the costs of turns, that is relied on until a throughput has been
  /// measured.
  static let unmeasuredShare = 0.5

  /// Which places of the queue a client may take.
  private enum Standing {
    /// No client was promised a place.
    case first
    /// Other clients were promised places; `reserved` is what those places take of the queue, and `expected` the steps of
    /// those clients that are likely to come soon.
    case newcomer(reserved: Bookings.Places, expected: Double)
    /// The client is back for the place that it was promised.
    case promised
  }

  let limits: EngineLimits
  private(set) var bookings: Bookings
  /// The steps a second that workers got done while riders waited for seats.
  private var throughput = Throughput()

  init(limits: EngineLimits, start: Instant) {
    self.limits = limits
    bookings = Bookings(start: start)
  }

  /// Records a turn that begins.
  ///
  /// - Parameters:
  ///   - steps: the turn's steps, of all its riders.
  ///   - isFull: whether riders are waiting that found no seat.
  mutating func recordTurn(steps: Int, isFull: Bool, now: Instant) {
    throughput.record(steps: steps, isFull: isFull, now: now)
  }

  /// Decides whether the riders of a request may join the queue, all or none. A refusal for want of room says when to
  /// come back.
  ///
  /// - Parameters:
  ///   - terms: how long the client waits, and how it is recognised.
  ///   - crowd: the riders that wait or ride now.
  mutating func admit(
    _ journeys: [Journey], terms: RideTerms, to crowd: EngineLoad, now: Instant
  ) throws(Refusal) {
    let places = Bookings.Places(
      sequences: journeys.count,
      steps: journeys.reduce(0) { $0 + crowd.queue.chunking.queuedSteps(of: $1) })
    guard places.sequences <= limits.maxQueuedSequences, places.steps <= limits.maxQueuedSteps
    else {
      throw .tooLarge(
        sequences: places.sequences, sequenceLimit: limits.maxQueuedSequences,
        steps: places.steps, stepLimit: limits.maxQueuedSteps)
    }
    if let timeout = terms.timeout, let deadline = terms.deadline, deadline <= now {
      throw .deadlinePassed(timeout: timeout)
    }
    bookings.advance(to: now)
    var known: Bookings.Identity?
    var standing = Standing.first
    if bookings.count > 0 {
      known = terms.identity?()
      if let known, bookings.redeem(known, now: now) {
        standing = .promised
      } else {
        let seconds = Self.reservedSeconds(crowd)
        standing = .newcomer(
          reserved: bookings.reserved(within: seconds, now: now),
          expected: bookings.expectedSteps(within: seconds, now: now))
      }
    }
    do throws(Refusal) {
      try checkRoom(for: places, standing, in: crowd)
      try checkTime(of: journeys, standing, terms, in: crowd, now: now)
      if case .promised = standing { bookings.record(isHonoured: true) }
    } catch {
      guard let identity = terms.identity, let seconds = error.secondsUntilRoom else { throw error }
      if case .promised = standing { bookings.record(isHonoured: false) }
      throw error.retrying(
        after: bookings.book(
          known ?? identity(), places: places,
          room: .init(sequences: limits.maxQueuedSequences, steps: limits.maxQueuedSteps),
          steps: journeys.reduce(0) { $0 + $1.all }, earliest: seconds,
          stepsPerSecond: stepsPerSecond(crowd), now: now))
    }
  }

  /// The steps a second that the workers can do: as measured while riders waited, or before that an estimate from the
  /// costs of turns. Infinity before the first turn.
  private func stepsPerSecond(_ crowd: EngineLoad) -> Double {
    throughput.stepsPerSecond
      ?? Self.unmeasuredShare
      * crowd.costs.stepsPerSecond(workers: crowd.seats.workerCount, seats: limits.maxSeats)
  }

  private static func reservedSeconds(_ crowd: EngineLoad) -> Double {
    guard crowd.riders > 0 else { return reservedSeconds.lowerBound }
    let ride = crowd.rideSeconds(steps: crowd.steps / crowd.riders)
    return Swift.min(Swift.max(ride, reservedSeconds.lowerBound), reservedSeconds.upperBound)
  }

  /// Refuses riders for which the queue has no room.
  private func checkRoom(
    for places: Bookings.Places, _ standing: Standing, in crowd: EngineLoad
  ) throws(Refusal) {
    let room = room(for: places.sequences, standing, in: crowd)
    guard places.sequences <= room.sequences else {
      throw .queueFull(
        queued: crowd.queue.count, arriving: places.sequences, limit: limits.maxQueuedSequences,
        retryAfter: crowd.seconds(steps: crowd.steps, arriving: places.sequences))
    }
    guard places.steps <= room.steps else {
      throw .stepsFull(
        queued: crowd.queue.steps, arriving: places.steps, limit: limits.maxQueuedSteps,
        retryAfter: crowd.seconds(steps: crowd.steps, arriving: places.sequences))
    }
  }

  /// The sequences and the steps that may join the queue.
  private func room(
    for arriving: Int, _ standing: Standing, in crowd: EngineLoad
  ) -> (sequences: Int, steps: Int) {
    let queue = crowd.queue
    // Riders that left their seats by rotation were admitted before: their steps count again only beyond the limit.
    let newSteps = queue.steps - Swift.min(queue.rotatedSteps, limits.maxQueuedSteps)
    let room = (
      sequences: limits.maxQueuedSequences - queue.count, steps: limits.maxQueuedSteps - newSteps
    )
    switch standing {
    case .first: return room
    case .newcomer(let reserved, _):
      // Any rider may take a seat that would stay empty.
      guard crowd.riders + arriving > limits.maxSeats else { return room }
      return (room.sequences - reserved.sequences, room.steps - reserved.steps)
    case .promised:
      // The steps of riders that board at the next turn are not counted. Seats may fall free later than promised
      // clients come, and a machine that was busy with something else is late: so for a while promised clients may fill
      // the queue to about twice its limits.
      return (
        room.sequences + Swift.max(limits.maxSeats, limits.maxQueuedSequences),
        room.steps + limits.maxQueuedSteps + crowd.boardingSteps
      )
    }
  }

  /// Refuses riders that would miss their deadline.
  private func checkTime(
    of journeys: [Journey], _ standing: Standing, _ terms: RideTerms, in crowd: EngineLoad,
    now: Instant
  ) throws(Refusal) {
    // With no rider ahead, only an attempt can show what the request costs.
    guard let timeout = terms.timeout, let deadline = terms.deadline, crowd.riders > 0,
      !journeys.isEmpty
    else { return }
    let longest = journeys.reduce(0) { Swift.max($0, $1.all) }
    let left = now.duration(to: deadline).seconds
    // A request that would miss its deadline on an idle engine gets no Retry-After.
    let alone = crowd.costs.seconds(oneOf: 1, steps: longest, workers: 1, seats: limits.maxSeats)
    guard !crowd.costs.isKnown(riders: 1) || Self.certainShare * alone <= left else {
      throw .deadlinePassed(timeout: timeout)
    }
    let needed =
      crowd.waitSeconds(of: journeys)
      + crowd.rideSeconds(steps: longest, arriving: journeys.count)
    let allowed =
      switch standing {
      case .first, .promised: left * Self.certainShare
      case .newcomer(_, let expected):
        // Who comes back soon is to be in time too, behind this one.
        left * Self.newcomerShare - expected / stepsPerSecond(crowd)
      }
    guard needed <= allowed else {
      throw .deadlineOutOfReach(
        timeout: timeout, needed: .seconds(needed / Self.certainShare),
        retryAfter: needed - allowed)
    }
  }
}
