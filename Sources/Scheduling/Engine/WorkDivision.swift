/// Whether one worker's turns are better left to one core, or their hidden units divided among several: decided
/// by what turns of as many riders have cost either way.
///
/// Neither shows in a result, so the way that seems worse is tried again now and then, ever more rarely.
struct WorkDivision: Sendable {
  enum Way: Sendable, Equatable {
    case alone, together
  }

  /// What turns of nearly as many riders have cost.
  private struct Experience {
    /// Moving averages of the seconds that a step takes; nil until there was one.
    var alone, together: Double?
    /// Turns until the other way is tried again.
    var untilTrial = WorkDivision.firstInterval
    var interval = WorkDivision.firstInterval

    var better: Way {
      guard let alone, let together else { return .alone }
      return together < alone ? .together : .alone
    }
  }

  static let firstInterval = 16
  static let longestInterval = 4096
  /// Bytes of recurrent weights from which cores that share them are worth a trial: fewer lie in any core's
  /// own cache, and the cores' meeting at every step costs more than it saves.
  static let leastBytes = 1 << 19

  /// By the riders' power of two.
  private var experiences: [Int: Experience] = [:]

  /// How the next turn of `riders` is to be run.
  mutating func choose(riders: Int) -> Way {
    var experience = experiences[riders.holdingPowerOfTwo, default: Experience()]
    if experience.alone == nil { return .alone }
    if experience.together == nil { return .together }
    defer { experiences[riders.holdingPowerOfTwo] = experience }
    experience.untilTrial -= 1
    guard experience.untilTrial <= 0 else { return experience.better }
    experience.interval = Swift.min(2 * experience.interval, Self.longestInterval)
    experience.untilTrial = experience.interval
    return experience.better == .alone ? .together : .alone
  }

  /// Takes note of what a step of one rider cost in such a turn.
  mutating func record(riders: Int, _ way: Way, secondsPerStep: Double) {
    func average(_ old: Double?) -> Double {
      old.map { 0.8 * $0 + 0.2 * secondsPerStep } ?? secondsPerStep
    }
    var experience = experiences[riders.holdingPowerOfTwo, default: Experience()]
    let before = experience.better
    switch way {
    case .alone: experience.alone = average(experience.alone)
    case .together: experience.together = average(experience.together)
    }
    if experience.better != before {
      experience.interval = Self.firstInterval
      experience.untilTrial = Self.firstInterval
    }
    experiences[riders.holdingPowerOfTwo] = experience
  }
}
