import DequeModule

/// The batch that never stops turning: who waits, who rides in which seat, and how far the next turn goes.
///
/// A state machine without threads, clocks or floats. At every turn waiting riders board free seats, all
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

  private struct Waiting {
    let rider: RiderID
    let steps: Int
  }

  private struct Seat {
    let rider: RiderID
    var remaining: Int
    /// Its rider is done or gone; the seat falls free at the next turn.
    var isVacated = false
  }

  /// Steps of all riders together that a turn aims at: enough rows to reuse the weights well, few enough
  /// that a newcomer does not wait long for the turn to end.
  package static let turnSteps = 512
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

  /// Steps of all waiting riders.
  package private(set) var queuedSteps = 0
  /// Riders waiting.
  package var queuedCount: Int { waiting.count }
  /// Riders on board.
  package var seatedCount: Int { seats.joined().reduce(0) { $0 + ($1.isVacated ? 0 : 1) } }
  /// Workers that have enough to do.
  package var neededWorkers: Int {
    Swift.min(workerCount, (queuedCount + seatedCount + Self.workerShare - 1) / Self.workerShare)
  }

  /// - Parameter workerCount: workers that turn at once; at most one a seat is made use of.
  package init(limits: EngineLimits, chunking: Chunking, workerCount: Int = 1) {
    self.limits = limits
    self.chunking = chunking
    self.workerCount = Swift.max(1, Swift.min(workerCount, limits.maxSeats))
    seats = Array(repeating: [], count: self.workerCount)
  }

  /// The most seats that a worker ever has.
  package var seatsPerWorker: Int { (limits.maxSeats + workerCount - 1) / workerCount }

  /// Queues riders of `steps` steps each, all or none.
  ///
  /// - Parameter secondsPerStep: what a step costs a worker, for the moment at which a refused client may
  ///   come back.
  /// - Returns: their names, in order.
  package mutating func arrive(
    steps: [Int], secondsPerStep: Double
  ) throws(Refusal) -> [RiderID] {
    let total = steps.reduce(0, +)
    guard steps.count <= limits.maxQueuedSequences, total <= limits.maxQueuedSteps else {
      throw .tooLarge(
        sequences: steps.count, sequenceLimit: limits.maxQueuedSequences, steps: total,
        stepLimit: limits.maxQueuedSteps)
    }
    let ahead = queuedSteps + seats.joined().reduce(0) { $0 + $1.remaining }
    let wait = Double(ahead) * secondsPerStep / Double(workerCount)
    let retryAfter = Swift.max(1, Int(wait.rounded(.up)))
    guard queuedCount + steps.count <= limits.maxQueuedSequences else {
      throw .queueFull(
        queued: queuedCount, arriving: steps.count, limit: limits.maxQueuedSequences,
        retryAfterSeconds: retryAfter)
    }
    guard queuedSteps + total <= limits.maxQueuedSteps else {
      throw .stepsFull(
        queued: queuedSteps, arriving: total, limit: limits.maxQueuedSteps,
        retryAfterSeconds: retryAfter)
    }
    queuedSteps += total
    return steps.map { steps in
      precondition(steps > 0)
      let rider = RiderID(rawValue: nextRider)
      nextRider += 1
      waiting.append(Waiting(rider: rider, steps: steps))
      return rider
    }
  }

  /// Plans a worker's next turn; nil when nobody waits or rides with it.
  package mutating func nextTurn(worker: Int = 0) -> Turn? {
    var turn = Turn()
    Self.freeVacatedSeats(&seats[worker], into: &turn)
    board(worker, into: &turn)
    guard !seats[worker].isEmpty else { return nil }
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
  }

  /// A rider's client left. A waiting rider goes at once, one on board by the next turn.
  package mutating func leave(_ rider: RiderID) {
    for worker in seats.indices {
      if let index = seats[worker].firstIndex(where: { $0.rider == rider }) {
        seats[worker][index].isVacated = true
        return
      }
    }
    if let index = waiting.firstIndex(where: { $0.rider == rider }) {
      queuedSteps -= waiting[index].steps
      waiting.remove(at: index)
    }
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

  private mutating func board(_ worker: Int, into turn: inout Turn) {
    // Workers share the riders evenly, but no worker takes few only so that another has some.
    let taken = seats.reduce(0) { $0 + $1.count }
    let even = (queuedCount + taken + workerCount - 1) / workerCount
    let seatLimit = Swift.min(
      seatsPerWorker, Swift.max(Self.workerShare, even),
      seats[worker].count + limits.maxSeats - taken)
    // Whole sequences board up to the steps of a turn; one more than that boards alone.
    var steps = 0
    while seats[worker].count < seatLimit, let first = waiting.first {
      if chunking == .wholeSequences, steps > 0, steps + first.steps > Self.turnSteps { break }
      waiting.removeFirst()
      queuedSteps -= first.steps
      steps += first.steps
      turn.boardings.append(Boarding(rider: first.rider, seat: seats[worker].count))
      seats[worker].append(Seat(rider: first.rider, remaining: first.steps))
    }
  }

  /// Long when few ride, short when many wait: a full carousel stops as soon as its shortest rider is done.
  private func chunkSteps(for seats: [Seat]) -> Int {
    switch chunking {
    case .wholeSequences: return Int.max
    case .steps:
      let share = Self.turnSteps / seats.count
      let shortest = waiting.isEmpty ? share : seats.lazy.map(\.remaining).min() ?? share
      return Swift.max(Self.minimumChunk, Swift.min(share, shortest))
    }
  }
}
