import Synchronization

/// A clock that stands still until a test moves it on.
package final class TestClock: Sendable {
  private let start = ContinuousClock.now
  private let elapsed = Mutex(Duration.zero)

  package init() {}

  package func advance(by duration: Duration) { elapsed.withLock { $0 += duration } }

  /// For what takes instants.
  package var now: ContinuousClock.Instant { start + elapsed.withLock { $0 } }

  /// For what takes nanoseconds: those since the clock was made.
  package var nanoseconds: Int { elapsed.withLock { Int($0 / .nanoseconds(1)) } }
}
