import DequeModule

/// The batch that never stops turning: who waits, who rides in which seat, and how far the next turn goes.
///
/// A state machine without threads or clocks. At every turn waiting riders board free seats, all
/// riders advance by a chunk of steps, and those whose steps are done alight. Seats are rows of the state
/// matrices: they stay dense, so when one falls free the last one moves into its place.
///
/// Several workers may turn at once: all board from one queue, and each has seats of its own.
package struct Carousel {
  /// Names a rider for as long as it waits or rides.
  package struct RiderID: Hashable, Sendable, Comparable {
    package let rawValue: UInt64

    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
  }

  /// How riders may be advanced.
  package enum Chunking: Sendable, Equatable {
    /// Any number of steps at a time: a streamable graph.
    case steps
    /// All of a sequence in one turn: a graph with an op that needs the whole of it.
    case wholeSequences
  }

  /// What one turn does, in this order.
  package struct Turn: Equatable, Sendable {
    /// Riders whose deadline passed, or will before they can be done: they wait and ride no more.
    package var expired: [RiderID] = []
    /// States to move from seat to seat, since seats fell free.
    package var moves: [Move] = []
    /// Riders that take a seat now.
    package var boardings: [Boarding] = []
    /// Every rider on board, by seat, and its share of the turn.
    package var parts: [Part] = []
  }

  package struct Move: Equatable, Sendable {
    package let from, to: Int
  }

  package struct Boarding: Equatable, Sendable {
    package let rider: RiderID
    package let seat: Int
  }

  package struct Part: Equatable, Sendable {
    package let rider: RiderID
    package let seat: Int
    /// Steps to advance by.
    package let steps: Int
    /// Whether these are the rider's last; it keeps its seat until `alight` or `extend` says what follows.
    package let finishes: Bool
  }

  package typealias Instant = ContinuousClock.Instant

  /// The steps of a rider: its own, and those fed back to it after them.
  package struct Journey: Equatable, Sendable {
    package let steps: Int
    package let following: Int

    package init(steps: Int, following: Int = 0) {
      precondition(steps > 0 && following >= 0)
      self.steps = steps
      self.following = following
    }

    var all: Int { steps + following }
  }

  private struct Waiting {
    let rider: RiderID
    let journey: Journey
    let deadline: Instant?
    /// Whether it had a seat before: its steps to come are then no more than a bound.
    let hasBoarded: Bool
  }

  private struct Seat {
    let rider: RiderID
    var remaining: Int
    /// Steps that will be fed back when those are done.
    var following: Int
    let deadline: Instant?
    /// Its rider is done or gone; the seat falls free at the next turn.
    var isVacated = false
  }

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

  package let limits: EngineLimits
  package let chunking: Chunking
  package let workerCount: Int
  private var waiting: Deque<Waiting> = []
  /// By worker.
  private var seats: [[Seat]]
  private var nextRider: UInt64 = 0
  private var bookings: Bookings
  /// Places promised to clients who were refused, and the share of them who come.
  package var promises: (count: Int, keptShare: Double) { (bookings.count, bookings.keptShare) }

  /// Of the waiting riders, those who have a deadline.
  private var waitingWithDeadline = 0
  /// Steps of all waiting riders.
  package private(set) var queuedSteps = 0
  /// Steps that will be fed back to them.
  private var queuedFollowing = 0
  /// Riders waiting.
  package var queuedCount: Int { waiting.count }
  /// Riders on board.
  package var seatedCount: Int { seats.joined().reduce(0) { $0 + ($1.isVacated ? 0 : 1) } }
  /// Whether everybody who waits finds a seat at the next turn.
  package var hasFreeSeat: Bool { queuedCount + seatedCount <= limits.maxSeats }
  /// The steps of the only rider that waits, where nobody rides.
  package var onlyWaiting: Journey? {
    queuedCount == 1 && seatedCount == 0 ? waiting[0].journey : nil
  }
  /// Workers that have enough to do.
  package var neededWorkers: Int {
    let share = Swift.min(Self.workerShare, seatsPerWorker)
    return Swift.min(workerCount, (queuedCount + seatedCount + share - 1) / share)
  }

  /// - Parameter workerCount: workers that turn at once; at most one a seat is made use of.
  package init(
    limits: EngineLimits, chunking: Chunking, workerCount: Int = 1, start: Instant = .now
  ) {
    self.limits = limits
    self.chunking = chunking
    self.workerCount = Swift.max(1, Swift.min(workerCount, limits.maxSeats))
    seats = Array(repeating: [], count: self.workerCount)
    bookings = Bookings(start: start)
  }

  /// The most seats that a worker ever has.
  package var seatsPerWorker: Int { (limits.maxSeats + workerCount - 1) / workerCount }

  /// Steps of those who wait and ride.
  private var stepsAhead: Int {
    queuedSteps + queuedFollowing
      + seats.joined().reduce(0) { $0 + ($1.isVacated ? 0 : $1.remaining + $1.following) }
  }

  /// How much of a time-out the wait may come to, as far as that can be told: costs vary.
  static let certainShare = 0.9
  /// How much of it while places are promised: the rest is for those who come for theirs.
  static let newcomerShare = 0.6

  /// Queues riders, all or none.
  ///
  /// - Parameters:
  ///   - terms: how long their client waits, and how it is known.
  ///   - costs: what turns have cost: how long newcomers wait, and when a refused client may come back.
  /// - Returns: their names, in order.
  package mutating func arrive(
    _ journeys: [Journey], terms: RideTerms, now: Instant, costs: TurnCosts
  ) throws(Refusal) -> [RiderID] {
    let steps = journeys.reduce(0) { $0 + $1.steps }
    guard journeys.count <= limits.maxQueuedSequences, steps <= limits.maxQueuedSteps else {
      throw .tooLarge(
        sequences: journeys.count, sequenceLimit: limits.maxQueuedSequences, steps: steps,
        stepLimit: limits.maxQueuedSteps)
    }
    if let timeout = terms.timeout, let deadline = terms.deadline, deadline <= now {
      throw .deadlinePassed(timeout: timeout)
    }
    bookings.advance(to: now)
    var known: Bookings.Identity?
    var isPromised = false
    if let identity = terms.identity, bookings.count > 0 {
      let found = identity()
      known = found
      isPromised = bookings.redeem(found, now: now)
    }
    do throws(Refusal) {
      try admit(
        journeys, steps: steps, terms: terms, now: now, costs: costs,
        isNewcomer: bookings.count > 0 && !isPromised)
    } catch {
      guard let identity = terms.identity, let seconds = error.secondsUntilRoom else { throw error }
      throw error.telling(
        bookings.book(
          known ?? identity(), steps: journeys.reduce(0) { $0 + $1.all }, earliest: seconds,
          stepsPerSecond: costs.stepsPerSecond(workers: workerCount, seats: limits.maxSeats),
          now: now))
    }
    return journeys.map { journey in
      let rider = RiderID(rawValue: nextRider)
      nextRider += 1
      wait(
        Waiting(rider: rider, journey: journey, deadline: terms.deadline, hasBoarded: false),
        isFirst: false)
      return rider
    }
  }

  /// Refuses riders for whom there is no room, or who would be late.
  ///
  /// - Parameter isNewcomer: whether others were promised a place, and these were not.
  private func admit(
    _ journeys: [Journey], steps: Int, terms: RideTerms, now: Instant, costs: TurnCosts,
    isNewcomer: Bool
  ) throws(Refusal) {
    let riders = queuedCount + seatedCount + journeys.count
    /// The seconds that all workers take for so many steps of those who are there.
    func seconds(_ steps: Int) -> Double {
      costs.seconds(steps: steps, riders: riders, workers: workerCount, seats: limits.maxSeats)
    }
    /// What newcomers may fill of a queue that holds `limit`.
    func room(_ limit: Int) -> Int { limit - (isNewcomer ? limit / 10 : 0) }
    guard queuedCount + journeys.count <= room(limits.maxQueuedSequences) else {
      throw .queueFull(
        queued: queuedCount, arriving: journeys.count, limit: limits.maxQueuedSequences,
        retryAfter: seconds(stepsAhead))
    }
    guard queuedSteps + steps <= room(limits.maxQueuedSteps) else {
      throw .stepsFull(
        queued: queuedSteps, arriving: steps, limit: limits.maxQueuedSteps,
        retryAfter: seconds(stepsAhead))
    }
    // Where nobody is ahead, the attempt itself tells what it costs.
    guard let timeout = terms.timeout, let deadline = terms.deadline,
      queuedCount + seatedCount > 0, !journeys.isEmpty
    else { return }
    let longest = journeys.reduce(0) { Swift.max($0, $1.all) }
    let left = now.duration(to: deadline).seconds
    // What is too late even alone has no better time to come back.
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
    let wait = waitForSeat(
      riders - limits.maxSeats,
      meanSteps: (queuedSteps + queuedFollowing + all)
        / (queuedCount + journeys.count), ride: ride, work: seconds)
    let needed = wait + ride(longest)
    let allowed =
      left * (isNewcomer ? Self.newcomerShare : Self.certainShare)
    guard needed <= allowed else {
      throw .deadlineOutOfReach(
        timeout: timeout, needed: .seconds(needed / Self.certainShare),
        retryAfter: needed - allowed)
    }
  }

  /// The seconds until `count` seats fall free.
  ///
  /// - Parameters:
  ///   - meanSteps: of those who will have boarded when all who ride now are gone.
  ///   - ride: the seconds of so many steps of one rider.
  ///   - work: the seconds of so many steps of all riders.
  private func waitForSeat(
    _ count: Int, meanSteps: Int, ride: (Int) -> Double, work: (Int) -> Double
  ) -> Double {
    guard count > 0 else { return 0 }
    let boarding = waiting.prefix(Swift.max(0, limits.maxSeats - seatedCount))
    let remaining =
      seats.joined().filter { !$0.isVacated }.map { $0.remaining + $0.following }
      + boarding.map(\.journey.all)
    let order = remaining.sorted()
    if count <= order.count { return ride(order[count - 1]) }
    return ride(order.last ?? 0) + work((count - order.count) * meanSteps)
  }

  /// A rider that gave up its seat, though it was not done, boards again before those who wait.
  package mutating func rejoin(_ rider: RiderID, _ journey: Journey, deadline: Instant?) {
    wait(
      Waiting(rider: rider, journey: journey, deadline: deadline, hasBoarded: true),
      isFirst: true)
  }

  private mutating func wait(_ rider: Waiting, isFirst: Bool) {
    if isFirst { waiting.prepend(rider) } else { waiting.append(rider) }
    count(rider, 1)
  }

  /// Counts a rider among those who wait, or not any more.
  private mutating func count(_ rider: Waiting, _ change: Int) {
    queuedSteps += change * rider.journey.steps
    queuedFollowing += change * rider.journey.following
    if rider.deadline != nil { waitingWithDeadline += change }
  }

  /// Plans a worker's next turn: one without parts where nobody waits or rides with it.
  ///
  /// - Parameter costs: what turns have cost: who would come too late, with as many as ride now, does not board.
  package mutating func nextTurn(
    worker: Int = 0, now: Instant, costs: TurnCosts = TurnCosts()
  ) -> Turn {
    var turn = Turn()
    expire(worker, now: now, into: &turn)
    Self.freeVacatedSeats(&seats[worker], into: &turn)
    board(worker, now: now, costs: costs, into: &turn)
    guard !seats[worker].isEmpty else { return turn }
    let chunk = chunkSteps(for: seats[worker])
    turn.parts = seats[worker].indices.map { index in
      let steps = Swift.min(chunk, seats[worker][index].remaining)
      seats[worker][index].remaining -= steps
      return Part(
        rider: seats[worker][index].rider, seat: index, steps: steps,
        finishes: seats[worker][index].remaining == 0)
    }
    return turn
  }

  /// The rider in `seat` is done: the seat falls free.
  package mutating func alight(seat: Int, worker: Int = 0) {
    seats[worker][seat].isVacated = true
  }

  /// The rider in `seat` goes on for `steps` more, from the state that it has.
  package mutating func extend(seat: Int, worker: Int = 0, by steps: Int) {
    precondition(steps > 0 && seats[worker][seat].remaining == 0)
    seats[worker][seat].remaining = steps
    seats[worker][seat].following = Swift.max(0, seats[worker][seat].following - steps)
  }

  /// A rider's client left. A waiting rider goes at once, one on board by the next turn.
  package mutating func leave(_ rider: RiderID) {
    for worker in seats.indices {
      // One that gave up its seat may wait or ride again before that seat is cleared.
      if let index = seats[worker].firstIndex(where: { $0.rider == rider && !$0.isVacated }) {
        seats[worker][index].isVacated = true
        return
      }
    }
    if let index = waiting.firstIndex(where: { $0.rider == rider }) {
      count(waiting.remove(at: index), -1)
    }
  }

  /// Lets those go for whom nobody waits any more.
  private mutating func expire(_ worker: Int, now: Instant, into turn: inout Turn) {
    func isPast(_ deadline: Instant?) -> Bool { deadline.map { $0 <= now } ?? false }
    for index in seats[worker].indices
    where !seats[worker][index].isVacated && isPast(seats[worker][index].deadline) {
      seats[worker][index].isVacated = true
      turn.expired.append(seats[worker][index].rider)
    }
    guard waitingWithDeadline > 0 else { return }
    for rider in waiting where isPast(rider.deadline) {
      turn.expired.append(rider.rider)
      count(rider, -1)
    }
    waiting.removeAll { isPast($0.deadline) }
  }

  private static func freeVacatedSeats(_ seats: inout [Seat], into turn: inout Turn) {
    var index = 0
    while index < seats.count {
      guard seats[index].isVacated else {
        index += 1
        continue
      }
      let last = seats.removeLast()
      if index < seats.count {
        seats[index] = last
        if !last.isVacated { turn.moves.append(Move(from: seats.count, to: index)) }
      }
    }
  }

  private mutating func board(
    _ worker: Int, now: Instant, costs: TurnCosts, into turn: inout Turn
  ) {
    // Workers share the riders evenly, but no worker takes few only so that another has some.
    let taken = seats.reduce(0) { $0 + $1.count }
    let even = (queuedCount + taken + workerCount - 1) / workerCount
    let seatLimit = Swift.min(
      seatsPerWorker, Swift.max(Self.workerShare, even),
      seats[worker].count + limits.maxSeats - taken)
    // Whole sequences board up to the steps of a turn; one more than that boards alone.
    var steps = 0
    while seats[worker].count < seatLimit, let first = waiting.first {
      if let deadline = first.deadline, !first.hasBoarded, seatedCount > 0 {
        let ride = costs.seconds(
          oneOf: queuedCount + seatedCount, steps: first.journey.all, workers: workerCount,
          seats: limits.maxSeats)
        guard now.duration(to: deadline).seconds >= Self.certainShare * ride else {
          count(waiting.removeFirst(), -1)
          turn.expired.append(first.rider)
          continue
        }
      }
      let own = first.journey.steps
      if chunking == .wholeSequences, steps > 0, steps + own > turnSteps { break }
      count(waiting.removeFirst(), -1)
      steps += own
      turn.boardings.append(Boarding(rider: first.rider, seat: seats[worker].count))
      seats[worker].append(
        Seat(
          rider: first.rider, remaining: own, following: first.journey.following,
          deadline: first.deadline))
    }
  }

  /// Long when few ride, short when many wait: a full carousel stops as soon as its shortest rider is done.
  private func chunkSteps(for seats: [Seat]) -> Int {
    switch chunking {
    case .wholeSequences: return Int.max
    case .steps:
      let share = turnSteps / seats.count
      // Who is fed back keeps the seat.
      let ending = seats.lazy.filter { $0.following == 0 }.map(\.remaining)
      let shortest = waiting.isEmpty ? share : ending.min() ?? share
      return Swift.max(Self.minimumChunk, Swift.min(share, shortest))
    }
  }
}
