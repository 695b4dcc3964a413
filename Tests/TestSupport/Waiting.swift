import Glibc
import Testing

/// How long a test waits for what has to come. It only ends a hang, so it is far longer than the whole suite takes on a
/// busy machine: all tests run at once, and one may not get a thread before most others are done.
package let patience = Duration.seconds(900)

/// Waits on this thread until `condition` holds; where it never does, records an issue and returns false.
///
/// For tests that use blocking sockets. Others use `eventually`, which leaves the thread to other tests.
@discardableResult
package func waitUntil(
  sourceLocation: SourceLocation = #_sourceLocation, _ condition: () -> Bool
) -> Bool {
  let end = ContinuousClock.now + patience
  repeat {
    if condition() { return true }
    usleep(1000)
  } while ContinuousClock.now < end
  Issue.record("this did not come in \(patience)", sourceLocation: sourceLocation)
  return false
}

/// Waits until `condition` holds; where it never does, records an issue.
package func eventually(
  sourceLocation: SourceLocation = #_sourceLocation, _ condition: () throws -> Bool
) async throws {
  let end = ContinuousClock.now + patience
  repeat {
    if try condition() { return }
    try await Task.sleep(for: .milliseconds(1))
  } while ContinuousClock.now < end
  Issue.record("this did not come in \(patience)", sourceLocation: sourceLocation)
}

/// Runs `body` with longer and longer time-outs, until it returns true: that it did its part before the time-out passed.
///
/// For what must happen before a time-out of the product's own clock, which then must pass: a fast machine is done in
/// a fraction of a second, and a slow one has as long as it needs. What `body` expects holds for every time-out.
package func withGrowingTimeouts(
  sourceLocation: SourceLocation = #_sourceLocation, _ body: (Duration) async throws -> Bool
) async throws {
  for milliseconds in [200, 1000, 5000, 25_000, 125_000] {
    if try await body(.milliseconds(milliseconds)) { return }
  }
  Issue.record("no time-out was long enough", sourceLocation: sourceLocation)
}

extension Trait where Self == TimeLimitTrait {
  /// Ends a test that hangs, and no other.
  package static var endsHangs: Self { .timeLimit(.minutes(20)) }
}
