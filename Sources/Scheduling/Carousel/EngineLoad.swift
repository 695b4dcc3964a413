/// The riders that wait or ride now, and what turns cost: an estimate of how long a newcomer would wait and ride.
struct EngineLoad {
  let queue: BoardingQueue
  let seats: Seats
  let costs: TurnCosts
  /// The steps that a turn aims at: see `Carousel`.
  let turnSteps: Int

  /// Riders that wait or ride.
  var riders: Int { queue.count + seats.riderCount }

  /// The steps that these riders have left, those to be fed back included.
  var steps: Int {
    queue.steps + queue.following + seats.passengers.reduce(0) { $0 + $1.allSteps }
  }

  /// The riders that find a seat at the next turn.
  private var boarding: some Collection<BoardingQueue.Waiting> {
    queue.prefix(Swift.max(0, seats.limit - seats.riderCount))
  }

  /// The queued steps of the riders that find a seat at the next turn, without riders that rotated: these were admitted
  /// before.
  var boardingSteps: Int {
    boarding.reduce(0) {
      $0 + ($1.isRotated ? 0 : queue.chunking.queuedSteps(of: $1.passenger.journey))
    }
  }

  /// The seconds that all workers take for `steps` steps in all, when `arriving` more riders share the turns.
  func seconds(steps: Int, arriving: Int) -> Double {
    costs.seconds(
      steps: steps, riders: riders + arriving, workers: seats.workerCount, seats: seats.limit)
  }

  /// The seconds that one rider takes for its own `steps` steps, when `arriving` more riders share the turns.
  func rideSeconds(steps: Int, arriving: Int = 0) -> Double {
    costs.seconds(
      oneOf: riders + arriving, steps: steps, workers: seats.workerCount, seats: seats.limit)
  }

  /// The seconds until the last of `journeys` has a seat, if they join the queue now.
  func waitSeconds(of journeys: [Journey]) -> Double {
    let stay = stay(secondsPerStep: rideSeconds(steps: 1, arriving: journeys.count))
    let patient = queue.withoutDeadline
    // A waiting rider without a deadline counts with the steps that it rides before another takes its seat.
    let (stays, overflow) = patient.riders.multipliedReportingOverflow(by: stay)
    let steps =
      queue.withDeadline.steps + (overflow ? patient.steps : Swift.min(patient.steps, stays))
      + journeys.reduce(0) { $0 + $1.all }
    return waitForSeat(
      riders + journeys.count - seats.limit, meanSteps: steps / (queue.count + journeys.count),
      stay: stay, arriving: journeys.count)
  }

  /// The steps that a rider without a deadline rides before it leaves its seat to others.
  private func stay(secondsPerStep: Double) -> Int {
    guard secondsPerStep > 0 else { return .max }
    let steps = (Carousel.seatTime.seconds / secondsPerStep).rounded(.up)
    return steps < 1e9 ? Int(steps) + leastTurn : .max
  }

  /// The steps that a rider may still do after its time in the seat is over, as a turn is not interrupted.
  private var leastTurn: Int {
    switch queue.chunking {
    case .steps: Carousel.minimumChunk
    case .wholeSequences: turnSteps
    }
  }

  /// The seconds until `count` seats fall free.
  ///
  /// - Parameters:
  ///   - meanSteps: the mean steps of the riders that board after those that ride or board now.
  ///   - stay: the steps after which riders without a deadline leave their seats.
  private func waitForSeat(_ count: Int, meanSteps: Int, stay: Int, arriving: Int) -> Double {
    guard count > 0 else { return 0 }
    /// The steps for which a rider keeps its seat. If the graph needs whole sequences, the rider's own steps run in one
    /// turn.
    func steps(_ rider: Passenger) -> Int {
      guard rider.deadline == nil else { return rider.allSteps }
      return Swift.min(
        rider.allSteps, queue.chunking == .steps ? stay : Swift.max(rider.steps, stay))
    }
    let order = (seats.passengers.map(steps) + boarding.map { steps($0.passenger) }).sorted()
    if count <= order.count { return rideSeconds(steps: order[count - 1], arriving: arriving) }
    return rideSeconds(steps: order.last ?? 0, arriving: arriving)
      + seconds(steps: (count - order.count) * meanSteps, arriving: arriving)
  }
}
