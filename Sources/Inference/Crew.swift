import CKernels
import Dispatch
import Glibc
import Synchronization

/// One core's part of work that several divide.
package struct Share: Sendable, Equatable {
  package let index: Int
  package let count: Int

  package init(index: Int, count: Int) {
    self.index = index
    self.count = count
  }

  static let whole = Share(index: 0, count: 1)

  /// This share of `items`, which all shares cover evenly.
  package func of(_ items: Int) -> Range<Int> {
    items * index / count..<items * (index + 1) / count
  }
}

/// Cores that divide the work of a turn: the caller's, and those of some helpers that wait for it.
///
/// Who has not come when the work begins is not waited for: the system may have better things to do.
package final class Crew: Sendable {
  private let helpers: [DispatchQueue]

  /// Cores, the caller's included.
  package var size: Int { helpers.count + 1 }

  /// How long the caller waits for helpers: what it takes to wake a thread, several times over.
  private static let patience = Duration.microseconds(100)

  /// - Parameter size: cores, the caller's included.
  package init(size: Int) {
    precondition(size > 0)
    helpers = (1..<size).map {
      DispatchQueue(label: "carousel.crew.\($0)", qos: .userInitiated)
    }
  }

  /// Whether a crew is at work: another of this process would only be in its way.
  private static let isBusy = Atomic(false)

  /// Runs `work` once on every core that comes, each with its share; returns when all are done.
  package func run(_ work: @escaping @Sendable (Share, Barrier) -> Void) {
    guard !Self.isBusy.exchange(true, ordering: .acquiring) else { return work(.whole, .none) }
    defer { Self.isBusy.store(false, ordering: .releasing) }
    let roster = Roster()
    for helper in helpers {
      helper.async {
        guard let share = roster.join() else { return }
        work(share, roster.barrier)
        roster.leave()
      }
    }
    let share = roster.begin(expecting: helpers.count, patience: Self.patience)
    work(share, roster.barrier)
    roster.awaitOthers(than: share)
  }
}

/// Who takes part in one run of a crew.
private final class Roster: Sendable {
  /// Helpers that have come; `closed` is added when the work begins.
  private let joined = Atomic(0)
  private let left = Atomic(0)
  let barrier = Barrier()
  private static let closed = 1 << 32

  /// For a helper: its share, as soon as the work begins; nil where it has begun.
  func join() -> Share? {
    let before = joined.add(1, ordering: .acquiringAndReleasing).oldValue
    guard before < Self.closed else { return nil }
    spin { joined.load(ordering: .acquiring) >= Self.closed }
    return Share(index: before + 1, count: barrier.count)
  }

  /// For the caller: begins with those who have come.
  func begin(expecting helpers: Int, patience: Duration) -> Share {
    let deadline = ContinuousClock.now + patience
    while joined.load(ordering: .relaxed) < helpers, ContinuousClock.now < deadline { ck_relax() }
    // Between this count and the closing, one more may come.
    var come = joined.load(ordering: .acquiring)
    barrier.count = come + 1
    while true {
      let (done, now) = joined.compareExchange(
        expected: come, desired: come + Self.closed, ordering: .acquiringAndReleasing)
      if done { return Share(index: 0, count: come + 1) }
      come = now
      barrier.count = come + 1
    }
  }

  func leave() {
    left.add(1, ordering: .releasing)
  }

  func awaitOthers(than share: Share) {
    spin { left.load(ordering: .acquiring) == share.count - 1 }
  }
}

/// Where cores wait for each other.
package final class Barrier: Sendable {
  /// How many wait; set before the first does.
  fileprivate let expected = Atomic(1)
  private let arrived = Atomic(0)
  private let generation = Atomic(0)

  /// That of a core that is alone: nobody waits there.
  static let none = Barrier()

  fileprivate var count: Int {
    get { expected.load(ordering: .relaxed) }
    set { expected.store(newValue, ordering: .relaxed) }
  }

  /// Returns when all have called it as often as the caller.
  func wait() {
    let count = self.count
    if count == 1 { return }
    let current = generation.load(ordering: .acquiring)
    if arrived.add(1, ordering: .acquiringAndReleasing).newValue == count {
      arrived.store(0, ordering: .relaxed)
      generation.add(1, ordering: .releasing)
    } else {
      spin { generation.load(ordering: .acquiring) != current }
    }
  }
}

/// Waits for what another core is about to do; after a while, others may have this one.
private func spin(until condition: () -> Bool) {
  var tries = 0
  while !condition() {
    tries += 1
    if tries < 4096 { ck_relax() } else { sched_yield() }
  }
}
