/// What a loop does when a deadline passes.
enum LoopDeadline: Equatable {
  /// Checks the connection with this token.
  case connection(UInt64)
  /// Accepts connections again, after a pause.
  case accepting
  /// Ends the grace of idle connections in a drain.
  case grace
  /// Closes all connections: the time for the drain is over.
  case stop
}

/// A loop's clock and its deadlines.
final class LoopTime {
  var clock: LoopClock
  var deadlines = DeadlineWheel<LoopDeadline>()

  private let monotonic: @Sendable () -> Int

  init(_ clock: LoopClock) {
    self.clock = clock
    monotonic = clock.monotonic
  }

  /// When this round began, in nanoseconds.
  var now: Int { clock.now }

  /// The current time, in nanoseconds. Read directly, since reading it by way of `clock` would copy that struct.
  func read() -> Int { monotonic() }
}
