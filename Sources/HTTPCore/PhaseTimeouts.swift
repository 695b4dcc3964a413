/// How long a connection waits for its peer in each phase, in nanoseconds.
package struct PhaseTimeouts: Equatable, Sendable {
  /// From a request head's first byte to its last.
  package var head: Int
  /// Between two parts of a request's body.
  package var body: Int
  /// Between two requests.
  package var idle: Int
  /// For the peer to end its side after this side has ended.
  package var linger: Int

  package init(head: Int, body: Int, idle: Int, linger: Int) {
    self.head = head
    self.body = body
    self.idle = idle
    self.linger = linger
  }

  /// The deadline of a phase that begins at `now`.
  package func deadline(for phase: ConnectionPhase, from now: Int) -> Int {
    switch phase {
    case .idle: Self.deadline(after: idle, from: now)
    case .readingHead: Self.deadline(after: head, from: now)
    case .readingBody: Self.deadline(after: body, from: now)
    case .answering: .max
    }
  }

  /// The moment `time` nanoseconds after `now`; `.max`, which means never, on overflow.
  package static func deadline(after time: Int, from now: Int) -> Int {
    let (sum, overflowed) = now.addingReportingOverflow(time)
    return overflowed ? .max : sum
  }
}
