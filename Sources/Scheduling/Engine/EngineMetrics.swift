/// What an engine counts as it runs; read by `Engine.snapshot`.
final class EngineMetrics: Sendable {
  private let turns = Counter()
  private let steps = Counter()
  private let sequences = Counter()
  private let queueFull = Counter()
  private let stepsFull = Counter()
  private let tooLarge = Counter()
  private let deadlineOutOfReach = Counter()
  private let deadlinePassed = Counter()
  private let draining = Counter()
  private let cancelled = Counter()
  private let rowsPerTurn = Histogram(upperBounds: [1, 2, 4, 8, 16, 32, 64, 128, 256])
  private let waitingTime = Histogram(upperBounds: secondsBounds)
  private let boardingDelay = Histogram(upperBounds: secondsBounds)
  private let turnTime = Histogram(upperBounds: secondsBounds)

  private static let secondsBounds = [
    0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1,
    2.5, 5,
  ]

  func countTurn(rows: Int, steps: Int, finished: Int, seconds: Double) {
    turnTime.record(seconds)
    turns.add()
    self.steps.add(steps)
    sequences.add(finished)
    rowsPerTurn.record(Double(rows))
  }

  /// - Parameter foundSeat: whether a seat was free when the sequence came, so that it waited only for the turn under
  ///   way.
  func countBoarding(waited seconds: Double, foundSeat: Bool) {
    waitingTime.record(seconds)
    if foundSeat { boardingDelay.record(seconds) }
  }

  func count(_ refusal: Refusal) {
    switch refusal {
    case .queueFull: queueFull.add()
    case .stepsFull: stepsFull.add()
    case .tooLarge: tooLarge.add()
    case .deadlineOutOfReach: deadlineOutOfReach.add()
    case .deadlinePassed: deadlinePassed.add()
    case .draining: draining.add()
    case .cancelled: cancelled.add()
    }
  }

  func snapshot(of carousel: Carousel, costs: TurnCosts) -> EngineStatistics {
    let seats = carousel.limits.maxSeats
    let capacity = costs.stepsPerSecond(workers: carousel.workerCount, seats: seats)
    let promises = carousel.promises
    return EngineStatistics(
      seated: carousel.seatedCount, maxSeats: seats, parked: carousel.parkedCount,
      queuedSequences: carousel.queuedCount, queuedSteps: carousel.queuedSteps,
      secondsPerStep: costs.secondsPerStep,
      stepsPerSecond: capacity.isFinite ? capacity : nil, promisedPlaces: promises.count,
      keptShare: promises.keptShare,
      turns: turns.value, steps: steps.value, sequences: sequences.value,
      refused: [
        ("queue_full", queueFull.value), ("steps_full", stepsFull.value),
        ("too_large", tooLarge.value), ("deadline_out_of_reach", deadlineOutOfReach.value),
        ("deadline_passed", deadlinePassed.value), ("draining", draining.value),
        ("cancelled", cancelled.value),
      ],
      rowsPerTurn: rowsPerTurn.snapshot(), waitingTime: waitingTime.snapshot(),
      boardingDelay: boardingDelay.snapshot(), turnTime: turnTime.snapshot())
  }
}

/// An engine at one moment.
package struct EngineStatistics: Sendable {
  /// Riders on board, and the seats there are.
  package let seated, maxSeats: Int
  /// Riders without a seat, whose readers are behind.
  package let parked: Int
  /// Riders waiting, and their steps that count against `max_queued_steps`.
  package let queuedSequences, queuedSteps: Int
  /// The seconds that a step of one rider costs a worker: a moving average.
  package let secondsPerStep: Double
  /// The steps a second that all workers can do with all seats taken, by the turns so far; nil before the first turn.
  package let stepsPerSecond: Double?
  /// Places promised to refused clients, and the share of such clients that come for them: a moving average.
  package let promisedPlaces: Int
  package let keptShare: Double
  /// Turns made, steps advanced, and sequences finished since the start.
  package let turns, steps, sequences: UInt64
  /// Requests without predictions, by reason.
  package let refused: [(reason: String, count: UInt64)]
  /// Riders on board in each turn.
  package let rowsPerTurn: HistogramSnapshot
  /// Seconds from a sequence's arrival to its boarding.
  package let waitingTime: HistogramSnapshot
  /// The same, of sequences that found a seat free when they came.
  package let boardingDelay: HistogramSnapshot
  /// Seconds from one turn's end to the next one's.
  package let turnTime: HistogramSnapshot
}
