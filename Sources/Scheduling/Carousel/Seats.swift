/// The seats of all workers, and the riders in them. Each worker's seats stay dense: when one falls free, the rider in
/// the worker's last seat moves into it.
struct Seats {
  typealias Instant = ContinuousClock.Instant

  /// A seat that is taken.
  struct Seat {
    var passenger: Passenger
    /// When its rider took it.
    let boarded: Instant
    /// Whether its rider is done or gone, or has left by rotation; the seat falls free at the worker's next turn.
    var isVacated = false
  }

  /// The most seats taken at once, of all workers together.
  let limit: Int
  let workerCount: Int
  private var rows: [[Seat]]
  /// Riders on board.
  private(set) var riderCount = 0

  init(limit: Int, workerCount: Int) {
    self.limit = limit
    self.workerCount = workerCount
    rows = Array(repeating: [], count: workerCount)
  }

  /// The most seats that a worker ever has.
  var perWorker: Int { (limit + workerCount - 1) / workerCount }
  /// The seats in use, including vacated ones: these fall free at their workers' next turns.
  var takenCount: Int { rows.reduce(0) { $0 + $1.count } }
  /// A worker's seats.
  subscript(worker: Int) -> [Seat] { rows[worker] }
  /// All riders on board.
  var passengers: some Sequence<Passenger> {
    rows.lazy.joined().filter { !$0.isVacated }.map(\.passenger)
  }

  /// The most seats that a worker may have while `waiting` riders wait. Workers share the riders evenly, but a worker
  /// takes up to `share` riders before another gets any.
  func bound(of worker: Int, waiting: Int, share: Int) -> Int {
    let taken = takenCount
    let even = (waiting + taken + workerCount - 1) / workerCount
    return Swift.min(perWorker, Swift.max(share, even), rows[worker].count + limit - taken)
  }

  /// Gives a rider the worker's next seat; returns the seat's number.
  mutating func board(_ passenger: Passenger, worker: Int, now: Instant) -> Int {
    rows[worker].append(Seat(passenger: passenger, boarded: now))
    riderCount += 1
    return rows[worker].count - 1
  }

  /// Marks a seat as vacated, as its rider leaves; returns false if it was marked before.
  @discardableResult
  mutating func vacate(_ seat: Int, worker: Int) -> Bool {
    guard !rows[worker][seat].isVacated else { return false }
    rows[worker][seat].isVacated = true
    riderCount -= 1
    return true
  }

  /// Changes the entry of the rider in a seat.
  mutating func update(_ seat: Int, worker: Int, _ change: (inout Passenger) -> Void) {
    change(&rows[worker][seat].passenger)
  }

  /// The seat of a rider that is on board; nil for other riders. Vacated seats do not count: their riders may already
  /// wait or ride elsewhere.
  func place(of rider: RiderID) -> (worker: Int, seat: Int)? {
    for worker in rows.indices {
      if let seat = rows[worker].firstIndex(where: {
        $0.passenger.rider == rider && !$0.isVacated
      }) {
        return (worker, seat)
      }
    }
    return nil
  }

  /// Marks the seats of those of `riders` that are on board as vacated, and removes these riders from `riders`.
  mutating func vacate(_ riders: inout Set<RiderID>) {
    for worker in rows.indices {
      for seat in rows[worker].indices
      where !rows[worker][seat].isVacated
        && riders.remove(rows[worker][seat].passenger.rider) != nil
      {
        vacate(seat, worker: worker)
      }
    }
  }

  /// Marks the seats of riders whose deadline passed as vacated; returns these riders.
  mutating func vacateLate(worker: Int, now: Instant) -> [(rider: RiderID, seat: Int)] {
    var late: [(rider: RiderID, seat: Int)] = []
    for seat in rows[worker].indices
    where !rows[worker][seat].isVacated && rows[worker][seat].passenger.isLate(at: now) {
      vacate(seat, worker: worker)
      late.append((rows[worker][seat].passenger.rider, seat))
    }
    return late
  }

  /// Frees a worker's vacated seats; returns which riders move to which seats.
  mutating func clear(worker: Int) -> [Turn.Move] {
    var moves: [Turn.Move] = []
    var seat = 0
    while seat < rows[worker].count {
      guard rows[worker][seat].isVacated else {
        seat += 1
        continue
      }
      let last = rows[worker].removeLast()
      if seat < rows[worker].count {
        rows[worker][seat] = last
        if !last.isVacated { moves.append(Turn.Move(from: rows[worker].count, to: seat)) }
      }
    }
    return moves
  }

  /// Advances each of a worker's riders by `chunk` steps, or by the steps that it has left if these are fewer.
  mutating func advance(worker: Int, by chunk: Int) -> [Turn.Part] {
    rows[worker].indices.map { seat in
      let steps = Swift.min(chunk, rows[worker][seat].passenger.steps)
      rows[worker][seat].passenger.steps -= steps
      return Turn.Part(
        rider: rows[worker][seat].passenger.rider, seat: seat, steps: steps,
        finishes: rows[worker][seat].passenger.steps == 0)
    }
  }
}
