/// Decides whether a worker's turn runs on one core or has its hidden units divided among several, by what turns of
/// about as many riders have cost either way.
///
/// The results are the same to the bit, so the way that seems worse is tried again now and then, ever more rarely.
struct WorkDivision: Sendable {
  enum Way: Sendable, Equatable {
    /// One core computes the turn, or the idle cores divide its hidden units.
    case alone, together
  }

  /// What turns of about as many riders have cost.
  private struct Experience {
    /// Moving averages of the seconds that a step of one rider takes; nil until there was such a turn.
    var alone, together: Double?
    /// Turns until the other way is tried again.
    var untilTrial = WorkDivision.firstInterval
    var interval = WorkDivision.firstInterval

    var better: Way {
      guard let alone, let together else { return .alone }
      return together < alone ? .together : .alone
    }
  }

  /// The turns between two trials of the way that seems worse: at first, and at the most.
  static let firstInterval = 16
  static let longestInterval = 4096
  /// The fewest bytes of recurrent weights for which dividing is tried: fewer fit in each core's own cache, and meeting
  /// at every step would cost the cores more than dividing saves.
  static let leastBytes = 1 << 19

  /// By the exponent of the number of riders, rounded up to a power of two.
  private var experiences: [Int: Experience] = [:]

  /// How the next turn of `riders` is to be run.
  mutating func choose(riders: Int) -> Way {
    var experience = experiences[riders.ceilingLog2, default: Experience()]
    if experience.alone == nil { return .alone }
    if experience.together == nil { return .together }
    defer { experiences[riders.ceilingLog2] = experience }
    experience.untilTrial -= 1
    guard experience.untilTrial <= 0 else { return experience.better }
    experience.interval = Swift.min(2 * experience.interval, Self.longestInterval)
    experience.untilTrial = experience.interval
    return experience.better == .alone ? .together : .alone
  }

  /// Records what a step of one rider cost in a turn that ran this way.
  mutating func record(riders: Int, _ way: Way, secondsPerStep: Double) {
    func average(_ old: Double?) -> Double {
      old.map { 0.8 * $0 + 0.2 * secondsPerStep } ?? secondsPerStep
    }
    var experience = experiences[riders.ceilingLog2, default: Experience()]
    let before = experience.better
    switch way {
    case .alone: experience.alone = average(experience.alone)
    case .together: experience.together = average(experience.together)
    }
    if experience.better != before {
      experience.interval = Self.firstInterval
      experience.untilTrial = Self.firstInterval
    }
    experiences[riders.ceilingLog2] = experience
  }
}
