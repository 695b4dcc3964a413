/// What turns have cost, by the number of riders: from that an engine estimates how long a newcomer has to wait.
package struct TurnCosts: Sendable {
  /// Moving averages: the duration of a turn of up to 2^index riders, divided by the steps of its longest rider, in
  /// seconds. Nil until there was such a turn.
  private var secondsPerTurnStep: [Double?] = Array(repeating: nil, count: 17)
  /// A moving average: the seconds that a step of one rider costs a worker. 0 before the first turn.
  package private(set) var secondsPerStep = 0.0

  package init() {}

  /// Records a turn.
  ///
  /// - Parameters:
  ///   - longest: the steps of the rider that advanced most.
  ///   - total: the steps of all riders.
  ///   - seconds: what the turn took.
  package mutating func record(riders: Int, longest: Int, total: Int, seconds: Double) {
    precondition(riders > 0 && longest > 0 && total > 0)
    func average(_ old: Double?, _ new: Double) -> Double {
      old.map { 0.9 * $0 + 0.1 * new } ?? new
    }
    // Where riders alight early, fewer are left for the rest of the turn: the average number counts.
    let index = Self.index(total / longest)
    secondsPerTurnStep[index] = average(secondsPerTurnStep[index], seconds / Double(longest))
    secondsPerStep = average(
      secondsPerStep == 0 ? nil : secondsPerStep, seconds / Double(total))
  }

  /// The seconds that `workers` workers take for `steps` steps in all, of `riders` riders that share the turns; 0
  /// before the first turn.
  package func seconds(steps: Int, riders: Int, workers: Int, seats: Int) -> Double {
    guard steps > 0, riders > 0 else { return 0 }
    let busy = Swift.min(workers, riders)
    let together = Swift.max(1, Swift.min(riders, seats) / busy)
    return Double(steps) / Double(busy * together) * secondsPerTurnStep(riders: together)
  }

  /// Whether there was a turn of about as many riders (up to the same power of two).
  package func isKnown(riders: Int) -> Bool { secondsPerTurnStep[Self.index(riders)] != nil }

  /// The seconds that one of `riders` riders, which share the turns, takes for its own `steps`; 0 before the first
  /// turn.
  package func seconds(oneOf riders: Int, steps: Int, workers: Int, seats: Int) -> Double {
    let busy = Swift.max(1, Swift.min(workers, riders))
    return Double(steps)
      * secondsPerTurnStep(riders: Swift.max(1, Swift.min(riders, seats) / busy))
  }

  /// The steps a second that `workers` can do when all seats are taken; infinity before the first turn.
  package func stepsPerSecond(workers: Int, seats: Int) -> Double {
    let sample = 1 << 20
    let seconds = seconds(steps: sample, riders: seats, workers: workers, seats: seats)
    return seconds > 0 ? Double(sample) / seconds : .infinity
  }

  /// The steps of a turn that takes `turnSeconds`, the longest that newcomers should wait for its end; at most
  /// `Carousel.maxTurnSteps`.
  package var turnSteps: Int {
    guard secondsPerStep > 0 else { return Carousel.maxTurnSteps }
    return Int(
      Swift.max(1, Swift.min(Double(Carousel.maxTurnSteps), Self.turnSeconds / secondsPerStep)))
  }
  /// The longest that newcomers should wait for a turn to end.
  static let turnSeconds = 0.005

  /// The duration of a turn of `riders` riders, divided by the steps of its longest rider, in seconds. If there was no
  /// such turn, an estimate from the nearest number of riders: half of its cost is for the weights, however many ride,
  /// and half for the riders.
  private func secondsPerTurnStep(riders: Int) -> Double {
    let index = Self.index(riders)
    let known = secondsPerTurnStep.indices.filter { secondsPerTurnStep[$0] != nil }
    guard let nearest = known.min(by: { abs($0 - index) < abs($1 - index) }) else { return 0 }
    let ratio = index == nearest ? 1 : Double(riders) / Double(1 << nearest)
    return secondsPerTurnStep[nearest]! * (1 + ratio) / 2
  }

  private static func index(_ riders: Int) -> Int { Swift.min(16, riders.ceilingLog2) }
}

extension Int {
  /// The exponent of the smallest power of two that is not less than the number; 0 for 1 and below.
  var ceilingLog2: Int {
    Int.bitWidth - (Swift.max(self, 1) - 1).leadingZeroBitCount
  }
}
