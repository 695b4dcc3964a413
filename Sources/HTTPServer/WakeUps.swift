import Synchronization

/// The wake-ups that one thread owes to loops, while it posts one piece of mail after another.
///
/// A loop that is woken by the first of a dozen answers is done with it before the second, and waits again: each answer
/// would cost two switches between threads.
final class WakeUps: Sendable {
  /// The wake-ups that the current thread gathers; nil where it wakes loops at once.
  @TaskLocal static var gathered: WakeUps?

  /// After this time a piece of mail wakes the loops at once: the first waited at most for this long and for the making
  /// of one more.
  static let maxDelay = Duration.microseconds(200)

  private let start: ContinuousClock.Instant
  private let now: @Sendable () -> ContinuousClock.Instant
  /// The inboxes of the loops that are to be woken.
  private let owed = Mutex<[Inbox]>([])

  private init(now: @escaping @Sendable () -> ContinuousClock.Instant) {
    self.now = now
    start = now()
  }

  /// Calls `body`, and then wakes the loops that wait and for which it posted mail on this thread: each once. If `body`
  /// takes longer than `maxDelay`, they are woken by its next piece of mail.
  static func gather(
    now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }, _ body: () -> Void
  ) {
    let wakeUps = WakeUps(now: now)
    $gathered.withValue(wakeUps, operation: body)
    wakeUps.pay()
  }

  /// Takes note of a piece of mail for `inbox`.
  ///
  /// - Parameter isWaiting: whether its loop has to be woken for it.
  func add(_ inbox: Inbox, isWaiting: Bool) {
    if isWaiting { owed.withLock { $0.append(inbox) } }
    if start.duration(to: now()) > Self.maxDelay { pay() }
  }

  private func pay() {
    let inboxes = owed.withLock { owed in
      defer { owed = [] }
      return owed
    }
    for inbox in inboxes { inbox.wakeLoop() }
  }
}

extension Server {
  /// Calls `body`, which answers several requests, one after another on this thread. Their loops are woken once for all
  /// of them.
  package static func answering(_ body: () -> Void) { WakeUps.gather(body) }
}
