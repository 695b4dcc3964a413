/// Who may join the queue, and when those who may not are to come back.
extension Carousel {
  /// Steps of those who wait and ride.
  private var stepsAhead: Int {
    queuedSteps + queuedFollowing
      + seats.joined().reduce(0) { $0 + ($1.isVacated ? 0 : $1.remaining + $1.following) }
  }

  /// How much of a time-out the wait may come to, as far as that can be told: costs vary.
  static let certainShare = 0.9
  /// How much of it while places are promised: the rest is for those who come for theirs.
  static let newcomerShare = 0.6
  /// Places that will be come for within so many seconds are kept free of newcomers; within the time that a rider of
  /// mean length rides, where that is longer: seats may fall free all at once, and none before.
  static let reservedSeconds = 0.5...5.0

  /// How a client is met.
  private enum Standing {
    /// Nobody was promised a place.
    case first
    /// Others were promised places, which take so much of the queue.
    case newcomer(reserved: Bookings.Places)
    /// Comes for the place that it was promised.
    case promised
  }

  /// Queues riders, all or none.
  ///
  /// - Parameters:
  ///   - terms: how long their client waits, and how it is known.
  ///   - costs: what turns have cost: how long newcomers wait, and when a refused client may come back.
  /// - Returns: their names, in order.
  package mutating func arrive(
    _ journeys: [Journey], terms: RideTerms, now: Instant, costs: TurnCosts
  ) throws(Refusal) -> [RiderID] {
    let places = Bookings.Places(
      sequences: journeys.count, steps: journeys.reduce(0) { $0 + queuedSteps(of: $1) })
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
        standing = .newcomer(
          reserved: bookings.reserved(within: reservedSeconds(costs: costs), now: now))
      }
    }
    do throws(Refusal) {
      try admit(journeys, places, standing, terms: terms, now: now, costs: costs)
      if case .promised = standing { bookings.record(isHonoured: true) }
    } catch {
      guard let identity = terms.identity, let seconds = error.secondsUntilRoom else { throw error }
      if case .promised = standing { bookings.record(isHonoured: false) }
      throw error.telling(
        bookings.book(
          known ?? identity(), places: places,
          room: .init(sequences: limits.maxQueuedSequences, steps: limits.maxQueuedSteps),
          steps: journeys.reduce(0) { $0 + $1.all },
          earliest: seconds,
          stepsPerSecond: stepsPerSecond(costs: costs),
          now: now))
    }
    return journeys.map { wait($0, deadline: terms.deadline) }
  }

  private func reservedSeconds(costs: TurnCosts) -> Double {
    let riders = queuedCount + seatedCount
    guard riders > 0 else { return Self.reservedSeconds.lowerBound }
    let ride = costs.seconds(
      oneOf: riders, steps: stepsAhead / riders, workers: workerCount, seats: limits.maxSeats)
    return Swift.min(
      Swift.max(ride, Self.reservedSeconds.lowerBound), Self.reservedSeconds.upperBound)
  }

  /// Refuses riders for whom there is no room, or who would be late.
  private func admit(
    _ journeys: [Journey], _ places: Bookings.Places, _ standing: Standing, terms: RideTerms,
    now: Instant, costs: TurnCosts
  ) throws(Refusal) {
    let riders = queuedCount + seatedCount + journeys.count
    /// The seconds that all workers take for so many steps of those who are there.
    func seconds(_ steps: Int) -> Double {
      costs.seconds(steps: steps, riders: riders, workers: workerCount, seats: limits.maxSeats)
    }
    let (sequenceRoom, stepRoom) = room(for: journeys.count, standing)
    guard places.sequences <= sequenceRoom else {
      throw .queueFull(
        queued: queuedCount, arriving: journeys.count, limit: limits.maxQueuedSequences,
        retryAfter: seconds(stepsAhead))
    }
    guard places.steps <= stepRoom else {
      throw .stepsFull(
        queued: queuedSteps, arriving: places.steps, limit: limits.maxQueuedSteps,
        retryAfter: seconds(stepsAhead))
    }
    // Where nobody is ahead, the attempt itself tells what it costs.
    guard let timeout = terms.timeout, let deadline = terms.deadline,
      queuedCount + seatedCount > 0, !journeys.isEmpty
    else { return }
    let longest = journeys.reduce(0) { Swift.max($0, $1.all) }
    let left = now.duration(to: deadline).seconds
    // A request that would miss its deadline on an idle engine gets no Retry-After.
    let alone = costs.seconds(oneOf: 1, steps: longest, workers: 1, seats: limits.maxSeats)
    guard !costs.isKnown(riders: 1) || Self.certainShare * alone <= left else {
      throw .deadlinePassed(timeout: timeout)
    }
    /// The seconds that anybody takes for so many steps, with as many others as there are.
    func ride(_ steps: Int) -> Double {
      costs.seconds(
        oneOf: riders, steps: steps, workers: workerCount, seats: limits.maxSeats)
    }
    let all = journeys.reduce(0) { $0 + $1.all }
    let stay = stay(secondsPerStep: ride(1))
    // Of those who wait without a deadline, no more counts than they ride before others take their seats.
    let patient = Swift.min(
      queuedWithoutDeadline.steps,
      queuedWithoutDeadline.riders.multipliedReportingOverflow(by: stay).overflow
        ? .max : queuedWithoutDeadline.riders * stay)
    let wait = waitForSeat(
      riders - limits.maxSeats,
      meanSteps: (queuedWithDeadline.steps + patient + all) / (queuedCount + journeys.count),
      stay: stay, ride: ride, work: seconds)
    let needed = wait + ride(longest)
    let share =
      switch standing {
      case .first, .promised: Self.certainShare
      case .newcomer: Self.newcomerShare
      }
    let allowed = left * share
    guard needed <= allowed else {
      throw .deadlineOutOfReach(
        timeout: timeout, needed: .seconds(needed / Self.certainShare),
        retryAfter: needed - allowed)
    }
  }

  /// How many sequences, and how many steps, may join the queue.
  private func room(for arriving: Int, _ standing: Standing) -> (sequences: Int, steps: Int) {
    // Those who left their seats by rotation were admitted before: their steps count again only beyond the limit.
    let newSteps = queuedSteps - Swift.min(rotatedSteps, limits.maxQueuedSteps)
    let room = (
      sequences: limits.maxQueuedSequences - queuedCount, steps: limits.maxQueuedSteps - newSteps
    )
    switch standing {
    case .first: return room
    case .newcomer(let reserved):
      // Seats that would stay empty are anybody's.
      guard queuedCount + seatedCount + arriving > limits.maxSeats else { return room }
      return (room.sequences - reserved.sequences, room.steps - reserved.steps)
    case .promised:
      // Those who board at the next turn hold no places for steps. Seats fall free when they do, not when clients come,
      // and a machine that was busy with something else is late: so the promised may be twice as many for a while.
      let boarding = waiting.prefix(Swift.max(0, limits.maxSeats - seatedCount))
      return (
        room.sequences + Swift.max(limits.maxSeats, limits.maxQueuedSequences),
        boarding.reduce(room.steps + limits.maxQueuedSteps) {
          $0 + ($1.isRotated ? 0 : queuedSteps(of: $1.journey))
        }
      )
    }
  }

  /// The steps that a rider without a deadline rides before it leaves its seat to others.
  private func stay(secondsPerStep: Double) -> Int {
    guard secondsPerStep > 0 else { return .max }
    let steps = (Self.seatTime.seconds / secondsPerStep).rounded(.up)
    return steps < 1e9 ? Int(steps) + leastTurn : .max
  }

  /// The steps that a turn may take yet when the time is over.
  private var leastTurn: Int {
    switch chunking {
    case .steps: Self.minimumChunk
    case .wholeSequences: turnSteps
    }
  }

  /// The seconds until `count` seats fall free.
  ///
  /// - Parameters:
  ///   - meanSteps: of those who will have boarded when all who ride now are gone.
  ///   - stay: steps after which riders without a deadline leave their seats.
  ///   - ride: the seconds of so many steps of one rider.
  ///   - work: the seconds of so many steps of all riders.
  private func waitForSeat(
    _ count: Int, meanSteps: Int, stay: Int, ride: (Int) -> Double, work: (Int) -> Double
  ) -> Double {
    guard count > 0 else { return 0 }
    /// The steps for which a rider has a seat; `own` of them, of a graph that needs whole sequences, at once.
    func steps(_ own: Int, _ following: Int, _ deadline: Instant?) -> Int {
      guard deadline == nil else { return own + following }
      return Swift.min(own + following, chunking == .steps ? stay : Swift.max(own, stay))
    }
    let boarding = waiting.prefix(Swift.max(0, limits.maxSeats - seatedCount))
    let remaining =
      seats.joined().filter { !$0.isVacated }.map { steps($0.remaining, $0.following, $0.deadline) }
      + boarding.map { steps($0.journey.steps, $0.journey.following, $0.deadline) }
    let order = remaining.sorted()
    if count <= order.count { return ride(order[count - 1]) }
    return ride(order.last ?? 0) + work((count - order.count) * meanSteps)
  }
}
