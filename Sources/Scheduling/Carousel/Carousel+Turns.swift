/// The planning of a worker's next turn.
extension Carousel {
  /// Plans a worker's next turn. The turn has no parts if no rider is on board with this worker and none boards.
  ///
  /// - Parameter costs: what turns have cost: a waiting rider that would miss its deadline, with as many riders as
  ///   there are now, does not board.
  package mutating func nextTurn(
    worker: Int = 0, now: Instant, costs: TurnCosts = TurnCosts()
  ) -> Turn {
    var turn = Turn()
    // The clients of these riders no longer wait.
    let late = seats.vacateLate(worker: worker, now: now)
    turn.expiredSeats = late.map(\.seat)
    turn.expired = late.map(\.rider) + queue.removeLate(now: now)
    rotate(worker, now: now, costs: costs, into: &turn)
    turn.moves = seats.clear(worker: worker)
    board(worker, now: now, costs: costs, into: &turn)
    if !seats[worker].isEmpty {
      turn.parts = seats.advance(worker: worker, by: chunk(for: worker))
    }
    isTurning[worker] = !turn.parts.isEmpty
    admission.recordTurn(steps: turn.steps, isFull: !queue.isEmpty, now: now)
    return turn
  }

  /// The steps that a worker's next turn advances each rider by: many when few ride, fewer when others wait, as a full
  /// carousel stops as soon as its shortest rider is done.
  private func chunk(for worker: Int) -> Int {
    switch chunking {
    case .wholeSequences: return Int.max
    case .steps:
      var chunk = turnSteps / seats[worker].count
      if !queue.isEmpty {
        // A rider with more steps to be fed back keeps its seat, so there is no reason to stop for it.
        for seat in seats[worker] where seat.passenger.following == 0 {
          chunk = Swift.min(chunk, seat.passenger.steps)
        }
      }
      return Swift.max(Self.minimumChunk, chunk)
    }
  }

  // MARK: - Boarding

  /// The most brief riders that board before others at one turn of a worker, so that the others board too. None where
  /// seats are few.
  var briefSeats: Int { seatsPerWorker / 8 }

  private mutating func board(
    _ worker: Int, now: Instant, costs: TurnCosts, into turn: inout Turn
  ) {
    let bound = seats.bound(of: worker, waiting: queue.count, share: Self.workerShare)
    // Whole sequences board until their steps fill a turn. A sequence with more steps than that is the only one to
    // board.
    var steps = 0
    var briefCount = Swift.min(queue.briefCount, briefSeats)
    while seats[worker].count < bound, let index = queue.next(isBriefFirst: briefCount > 0) {
      let next = queue[index].passenger
      guard isInTime(next, now: now, costs: costs) else {
        queue.remove(at: index)
        briefCount -= 1
        turn.expired.append(next.rider)
        continue
      }
      if chunking == .wholeSequences, steps > 0, steps + next.steps > turnSteps { break }
      queue.remove(at: index)
      briefCount -= 1
      steps += next.steps
      let seat = seats.board(next, worker: worker, now: now)
      turn.boardings.append(.init(rider: next.rider, seat: seat))
    }
  }

  /// Whether a rider that boards now can be done before its deadline.
  private func isInTime(_ passenger: Passenger, now: Instant, costs: TurnCosts) -> Bool {
    guard let deadline = passenger.deadline, !passenger.hasBoarded, seatedCount > 0 else {
      return true
    }
    let ride = costs.seconds(
      oneOf: queuedCount + seatedCount, steps: passenger.allSteps, workers: workerCount,
      seats: limits.maxSeats)
    return now.duration(to: deadline).seconds >= Admission.certainShare * ride
  }

  // MARK: - Rotation

  /// Sends riders whose time in the seat is over back to the end of the queue, one for each waiting rider that finds no
  /// seat: while others wait, no rider keeps a seat for long.
  private mutating func rotate(
    _ worker: Int, now: Instant, costs: TurnCosts, into turn: inout Turn
  ) {
    guard !queue.isEmpty else { return }
    let briefCount = Swift.min(queue.briefCount, briefSeats)
    // In most turns no rider's time is over.
    let stay = briefCount > 0 ? Self.briefSeatTime : Self.seatTime
    guard seats[worker].contains(where: { $0.boarded <= now - stay }) else { return }
    let vacated = seats[worker].count { $0.isVacated }
    // Waiting riders take free seats first, with this worker or another.
    let needed = queue.count - (limits.maxSeats - seats.takenCount) - vacated
    guard needed > 0 else { return }
    let candidates = seats[worker].indices.filter { index in
      let seat = seats[worker][index]
      return !seat.isVacated && seat.passenger.steps > 0 && seat.boarded <= now - stay
        && hasTimeToRotate(seat.passenger, now: now, costs: costs)
    }
    // The rider that has had its seat longest leaves first.
    let leaving = candidates.sorted {
      (seats[worker][$0].boarded, $0) < (seats[worker][$1].boarded, $1)
    }.prefix(needed)
    for (place, index) in leaving.enumerated() {
      let seat = seats[worker][index]
      // Only the first `briefCount` riders leave after the shorter time, for brief riders; the others leave after the
      // whole `seatTime`.
      guard place < briefCount || seat.boarded <= now - Self.seatTime else { return }
      seats.vacate(index, worker: worker)
      turn.rotations.append(.init(rider: seat.passenger.rider, seat: index))
      var passenger = seat.passenger
      passenger.hasBoarded = true
      queue.append(.init(passenger: passenger, isRotated: true))
    }
  }

  /// Whether a rider can leave its seat, wait among all who are there, and be done before its deadline.
  private func hasTimeToRotate(_ passenger: Passenger, now: Instant, costs: TurnCosts) -> Bool {
    guard let deadline = passenger.deadline else { return true }
    let riders = queuedCount + seatedCount
    let crowd = Swift.max(1, Double(riders) / Double(limits.maxSeats))
    let ride = costs.seconds(
      oneOf: riders, steps: passenger.allSteps, workers: workerCount, seats: limits.maxSeats)
    return now.duration(to: deadline).seconds
      >= Self.rotationSlack.factor * crowd * ride + Self.rotationSlack.seconds
  }
}
