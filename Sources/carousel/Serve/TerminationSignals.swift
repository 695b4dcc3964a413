import Dispatch
import Glibc
import Synchronization

/// Watches SIGTERM and SIGINT until the process ends: the first signal calls `action` with its name, on a Dispatch
/// queue; the second exits at once.
func onTermination(_ action: @escaping @Sendable (String) -> Void) {
  let count = SignalCount()
  for (number, name) in [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")] {
    // Dispatch receives a signal only if its default action, which ends the process, is off.
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number)
    source.setEventHandler {
      // Shells report 128 + n for a process that signal n ended.
      guard count.next() == 1 else { exit(128 + number) }
      action(name)
      // The handler keeps its source alive.
      _ = source
    }
    source.activate()
  }
}

private final class SignalCount: Sendable {
  private let count = Atomic(0)

  func next() -> Int { count.add(1, ordering: .relaxed).newValue }
}
