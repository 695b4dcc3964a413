/// What a loop has a deadline for.
enum LoopDeadline: Equatable {
  /// The connection of this token is to be looked at.
  case connection(UInt64)
  /// Newcomers are accepted again.
  case accepting
  /// Idle connections have had their grace.
  case grace
  /// The time for a stop is over.
  case stop
}

/// The time of a loop, and what is due when.
final class LoopTime {
  var clock: LoopClock
  var deadlines = DeadlineWheel<LoopDeadline>()

  private let monotonic: @Sendable () -> Int

  init(_ clock: LoopClock) {
    self.clock = clock
    monotonic = clock.monotonic
  }

  /// When this round began.
  var now: Int { clock.now }

  /// The time at this moment. Not through the clock, which would be copied for it.
  func read() -> Int { monotonic() }
}
