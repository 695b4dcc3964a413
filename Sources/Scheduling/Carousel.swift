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
    /// Riders that leave their seats to others and wait again, each with the state that its seat holds now, before
    /// any moves.
    package var rotations: [Rotation] = []
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

  package struct Rotation: Equatable, Sendable {
    package let rider: RiderID
    package let seat: Int
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

  /// Some of the waiting riders.
  struct Group {
    var riders = 0
    /// With those that will be fed back.
    var steps = 0
  }

  struct Waiting {
    let rider: RiderID
    let journey: Journey
    let deadline: Instant?
    /// Whether it had a seat before: its steps to come are then no more than a bound.
    let hasBoarded: Bool
    /// Whether it left its seat to others by rotation.
    var isRotated = false
    /// Whether it is one of those who board before their turn, being gone again in a moment.
    var isBrief = false
  }

  struct Seat {
    let rider: RiderID
    /// When it took the seat.
    let boarded: Instant
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
  var waiting: Deque<Waiting> = []
  /// By worker.
  var seats: [[Seat]]
  private var nextRider: UInt64 = 0
  var bookings: Bookings
  /// What workers got done while riders waited for seats.
  private var throughput = Throughput()
  /// Places promised to clients who were refused, and the share of them who come.
  package var promises: (count: Int, keptShare: Double) { (bookings.count, bookings.keptShare) }

  /// The waiting riders who have a deadline, and those who have none.
  var queuedWithDeadline = Group(), queuedWithoutDeadline = Group()
  /// No waiting rider's deadline is earlier; nil while none has one.
  private var earliestDeadline: Instant?
  /// How many of those who wait may board before their turn.
  private(set) var queuedBrief = 0
  /// Of `queuedSteps`, those of riders that left their seats by rotation: they were admitted before.
  private(set) var rotatedSteps = 0
  /// Steps of all waiting riders.
  package private(set) var queuedSteps = 0
  /// Steps that will be fed back to them.
  private(set) var queuedFollowing = 0
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

  /// What the workers are able to: as measured while seats were wanted, or else, with caution, from what turns cost;
  /// infinity before the first turn.
  func stepsPerSecond(costs: TurnCosts) -> Double {
    throughput.stepsPerSecond
      ?? Self.unmeasuredShare
      * costs.stepsPerSecond(workers: workerCount, seats: limits.maxSeats)
  }
  /// How much of what turns cost is relied on where nothing else was measured.
  static let unmeasuredShare = 0.5

  /// The most seats that a worker ever has.
  package var seatsPerWorker: Int { (limits.maxSeats + workerCount - 1) / workerCount }

  /// A rider that gave up its seat, though it was not done, boards again before those who wait.
  package mutating func rejoin(_ rider: RiderID, _ journey: Journey, deadline: Instant?) {
    wait(
      Waiting(rider: rider, journey: journey, deadline: deadline, hasBoarded: true),
      isFirst: true)
  }

  /// Queues a rider that is admitted; returns its name.
  mutating func wait(_ journey: Journey, deadline: Instant?) -> RiderID {
    let rider = RiderID(rawValue: nextRider)
    nextRider += 1
    wait(
      Waiting(
        rider: rider, journey: journey, deadline: deadline, hasBoarded: false,
        isBrief: isBrief(journey)),
      isFirst: false)
    return rider
  }

  mutating func wait(_ rider: Waiting, isFirst: Bool) {
    if isFirst { waiting.prepend(rider) } else { waiting.append(rider) }
    count(rider, 1)
    if let deadline = rider.deadline {
      earliestDeadline = Swift.min(earliestDeadline ?? deadline, deadline)
    }
  }

  /// Steps of a rider that count against `max_queued_steps`. A graph that needs whole sequences runs again, from the
  /// beginning, for each step that is fed back: all those runs count.
  func queuedSteps(of journey: Journey) -> Int {
    switch chunking {
    case .steps: journey.steps
    case .wholeSequences: journey.all
    }
  }

  /// Counts a rider among those who wait, or not any more.
  private mutating func count(_ rider: Waiting, _ change: Int) {
    let (steps, all) = (queuedSteps(of: rider.journey), rider.journey.all)
    queuedSteps += change * steps
    queuedFollowing += change * (all - steps)
    if rider.isRotated { rotatedSteps += change * steps }
    if rider.isBrief { queuedBrief += change }
    if rider.deadline == nil {
      queuedWithoutDeadline.riders += change
      queuedWithoutDeadline.steps += change * all
    } else {
      queuedWithDeadline.riders += change
      queuedWithDeadline.steps += change * all
    }
  }

  /// Plans a worker's next turn: one without parts where nobody waits or rides with it.
  ///
  /// - Parameter costs: what turns have cost: who would come too late, with as many as ride now, does not board.
  package mutating func nextTurn(
    worker: Int = 0, now: Instant, costs: TurnCosts = TurnCosts()
  ) -> Turn {
    var turn = Turn()
    expire(worker, now: now, into: &turn)
    rotate(worker, now: now, costs: costs, into: &turn)
    Self.freeVacatedSeats(&seats[worker], into: &turn)
    board(worker, now: now, costs: costs, into: &turn)
    defer {
      throughput.record(
        steps: turn.parts.reduce(0) { $0 + $1.steps }, isFull: !waiting.isEmpty, now: now)
    }
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

  /// A client left with all of its riders: one pass over the queue, however many they are.
  package mutating func leave(_ riders: [RiderID]) {
    guard riders.count > 1 else {
      if let rider = riders.first { leave(rider) }
      return
    }
    var left = Set(riders)
    for worker in seats.indices {
      for index in seats[worker].indices where !seats[worker][index].isVacated {
        if left.remove(seats[worker][index].rider) != nil { seats[worker][index].isVacated = true }
      }
    }
    guard !left.isEmpty else { return }
    for rider in waiting where left.contains(rider.rider) { count(rider, -1) }
    waiting.removeAll { left.contains($0.rider) }
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
    guard queuedWithDeadline.riders > 0, isPast(earliestDeadline) else { return }
    for rider in waiting where isPast(rider.deadline) {
      turn.expired.append(rider.rider)
      count(rider, -1)
    }
    waiting.removeAll { isPast($0.deadline) }
    earliestDeadline = waiting.lazy.compactMap(\.deadline).min()
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
    var briefCount = Swift.min(queuedBrief, briefSeats)
    while seats[worker].count < seatLimit, !waiting.isEmpty {
      let index = briefCount > 0 ? waiting.firstIndex(where: \.isBrief) ?? 0 : 0
      let first = waiting[index]
      if let deadline = first.deadline, !first.hasBoarded, seatedCount > 0 {
        let ride = costs.seconds(
          oneOf: queuedCount + seatedCount, steps: first.journey.all, workers: workerCount,
          seats: limits.maxSeats)
        guard now.duration(to: deadline).seconds >= Self.certainShare * ride else {
          count(waiting.remove(at: index), -1)
          briefCount -= 1
          turn.expired.append(first.rider)
          continue
        }
      }
      let own = first.journey.steps
      if chunking == .wholeSequences, steps > 0, steps + own > turnSteps { break }
      count(waiting.remove(at: index), -1)
      briefCount -= 1
      steps += own
      turn.boardings.append(Boarding(rider: first.rider, seat: seats[worker].count))
      seats[worker].append(
        Seat(
          rider: first.rider, boarded: now, remaining: own, following: first.journey.following,
          deadline: first.deadline))
    }
  }

  /// Long when few ride, short when many wait: a full carousel stops as soon as its shortest rider is done.
  private func chunkSteps(for seats: [Seat]) -> Int {
    switch chunking {
    case .wholeSequences: return Int.max
    case .steps:
      let share = turnSteps / seats.count
      var chunk = share
      if !waiting.isEmpty {
        // Who is fed back keeps the seat.
        for seat in seats where seat.following == 0 { chunk = Swift.min(chunk, seat.remaining) }
      }
      return Swift.max(Self.minimumChunk, chunk)
    }
  }
}
