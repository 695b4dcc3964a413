import Dispatch
import Glibc
import Synchronization

/// Watches SIGTERM and SIGINT for the rest of the process: the first one calls `action` with its name, on a
/// queue of Dispatch; the second exits at once.
func onTermination(_ action: @escaping @Sendable (String) -> Void) {
  let count = SignalCount()
  for (number, name) in [(SIGTERM, "SIGTERM"), (SIGINT, "SIGINT")] {
    // Dispatch sees a signal only where its default, the end of the process, is switched off.
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number)
    source.setEventHandler {
      // A shell says 128 + n of a process that signal n ended.
      guard count.next() == 1 else { exit(128 + number) }
      action(name)
      // The handler holds its source, so that it lives.
      _ = source
    }
    source.activate()
  }
}

private final class SignalCount: Sendable {
  private let count = Atomic(0)

  func next() -> Int { count.add(1, ordering: .relaxed).newValue }
}
