import Scheduling

/// Leases that Redis may have, or may yet take, though the requests that asked for them have given up: it was asleep, or the connection was
/// lost. They are given back when it answers again, and once more for as long as a lease lasts, since what was sent over a lost
/// connection may run after what is sent over the next one. Pure: time comes in as an argument.
struct LateLeases {
  typealias Held = SessionLeases.Held

  private struct Late {
    let lease: Held
    /// When Redis first answered that it does not have the lease.
    var missed: ContinuousClock.Instant?
  }

  private var leases: [Late] = []
  /// How many are remembered; those that are forgotten end by their own time.
  let limit: Int

  init(limit: Int = 16_384) { self.limit = limit }

  mutating func add(_ some: [Held]) {
    leases += some.map { Late(lease: $0) }
    if leases.count > limit { leases.removeFirst(leases.count - limit) }
  }

  /// Redis has been asked to give `asked` back, and had those of `returned`.
  ///
  /// - Parameter life: how long after the first such answer what it did not have is still asked for.
  mutating func note(
    asked: [Held], returned: Set<Held>, now: ContinuousClock.Instant, life: Duration
  ) {
    guard !leases.isEmpty else { return }
    let asked = Set(asked)
    leases = leases.compactMap { late in
      guard asked.contains(late.lease) else { return late }
      let missed = late.missed ?? now
      guard !returned.contains(late.lease), missed + life > now else { return nil }
      return Late(lease: late.lease, missed: missed)
    }
  }

  var all: [Held] { leases.map(\.lease) }
}
