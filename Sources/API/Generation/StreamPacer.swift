import Dispatch
import Scheduling
import Synchronization

/// Runs the delayed writes of all streams together, so that a loop wakes once for all of them.
final class StreamPacer: Sendable {
  let queue = DispatchQueue(label: "streams", qos: .userInitiated)
  /// Returns the current time.
  let now: @Sendable () -> ContinuousClock.Instant
  private let waiting = Mutex<[@Sendable () -> Void]>([])

  init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) { self.now = now }

  /// Calls `write` within `EventBuffer.interval`, or a little later.
  func writeLater(_ write: @escaping @Sendable () -> Void) {
    let isFirst = waiting.withLock { waiting in
      waiting.append(write)
      return waiting.count == 1
    }
    guard isFirst else { return }
    queue.asyncAfter(deadline: .now() + EventBuffer.interval.seconds) { [self] in
      let writes = waiting.withLock { waiting in
        defer { waiting.removeAll(keepingCapacity: true) }
        return waiting
      }
      for write in writes { write() }
    }
  }
}
