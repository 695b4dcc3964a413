/// Seats are shared: while others wait, nobody keeps one for long.
extension Carousel {
  /// How long a rider keeps its seat at least, while others wait: a newcomer's wait grows with the riders ahead of it
  /// and not with the length of what they ride for. Its state is copied out and in again, once in so long.
  package static let seatTime = Duration.milliseconds(20)
  /// A rider with a deadline leaves its seat only while it has so many times the time that it needs, sharing the seats
  /// with all who are there, and so much more.
  static let rotationSlack = (factor: 2.0, seconds: 0.5)

  /// How long it keeps it while there are brief riders, one of whom may take its place: a copy a brief rider.
  static let briefSeatTime = Duration.milliseconds(1)

  /// Whether a rider is done within a turn even when all seats are taken. Such riders board before the others, so that
  /// a question of a few steps does not wait until those who have thousands before them have had their time.
  func isBrief(_ journey: Journey) -> Bool {
    journey.all <= Swift.max(Self.minimumChunk, turnSteps / limits.maxSeats)
  }

  /// How many brief riders board a worker's turn before others: however many there are, those get on too. None where
  /// seats are few.
  var briefSeats: Int { seatsPerWorker / 8 }

  /// Sends riders that had their time back to the end of the queue, as many as wait and find no seat.
  mutating func rotate(
    _ worker: Int, now: Instant, costs: TurnCosts, into turn: inout Turn
  ) {
    guard !waiting.isEmpty else { return }
    // In most turns nobody had the time.
    let stay = Swift.min(queuedBrief, briefSeats) > 0 ? Self.briefSeatTime : Self.seatTime
    guard seats[worker].contains(where: { $0.boarded <= now - stay }) else { return }
    let taken = seats.reduce(0) { $0 + $1.count }
    let vacated = seats[worker].count { $0.isVacated }
    // Seats that nobody has: this worker or another boards the riders there.
    let needed = waiting.count - (limits.maxSeats - taken) - vacated
    guard needed > 0 else { return }
    let riders = queuedCount + seatedCount
    let crowd = Swift.max(1, Double(riders) / Double(limits.maxSeats))
    let candidates = seats[worker].indices.filter { index in
      let seat = seats[worker][index]
      guard !seat.isVacated, seat.remaining > 0, seat.boarded <= now - stay else { return false }
      guard let deadline = seat.deadline else { return true }
      let ride = costs.seconds(
        oneOf: riders, steps: seat.remaining + seat.following, workers: workerCount,
        seats: limits.maxSeats)
      return now.duration(to: deadline).seconds
        >= Self.rotationSlack.factor * crowd * ride + Self.rotationSlack.seconds
    }
    // Whoever has been there longest goes first.
    let leaving = candidates.sorted {
      (seats[worker][$0].boarded, $0) < (seats[worker][$1].boarded, $1)
    }.prefix(needed)
    for (place, index) in leaving.enumerated() {
      let seat = seats[worker][index]
      // The others leave for those who wait for their turn.
      guard place < Swift.min(queuedBrief, briefSeats) || seat.boarded <= now - Self.seatTime else {
        return
      }
      seats[worker][index].isVacated = true
      turn.rotations.append(Rotation(rider: seat.rider, seat: index))
      wait(
        Waiting(
          rider: seat.rider, journey: .init(steps: seat.remaining, following: seat.following),
          deadline: seat.deadline, hasBoarded: true, isRotated: true), isFirst: false)
    }
  }
}
