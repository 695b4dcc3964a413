import CKernels
import Dispatch
import Glibc
import Synchronization

/// One core's share of work that several cores divide.
package struct Share: Sendable, Equatable {
  package let index: Int
  package let count: Int

  package init(index: Int, count: Int) {
    self.index = index
    self.count = count
  }

  static let whole = Share(index: 0, count: 1)

  /// This share's part of `items`; the parts are of nearly equal size.
  package func of(_ items: Int) -> Range<Int> {
    items * index / count..<items * (index + 1) / count
  }
}

/// Cores that divide the work of a turn: the caller's, and those of helper threads.
///
/// Work begins without helpers that are late, as the system may need their cores for something else.
package final class Crew: Sendable {
  private let helpers: [DispatchQueue]

  /// The number of cores, the caller's included.
  package var size: Int { helpers.count + 1 }

  /// How long the caller waits for helpers: several times what waking a thread takes.
  private static let patience = Duration.microseconds(100)

  /// - Parameter size: the number of cores, the caller's included.
  package init(size: Int) {
    precondition(size > 0)
    helpers = (1..<size).map {
      DispatchQueue(label: "carousel.crew.\($0)", qos: .userInitiated)
    }
  }

  /// Whether a crew of this process is at work. A second crew would compete for the same cores, so it works on its
  /// caller's core alone.
  private static let isBusy = Atomic(false)

  /// Runs `work` once on every core that takes part, each with its share; returns when all are done.
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

/// The participants in one run of a crew.
private final class Roster: Sendable {
  /// The number of helpers that have joined; `closed` is added when the work begins.
  private let joined = Atomic(0)
  private let left = Atomic(0)
  let barrier = Barrier()
  private static let closed = 1 << 32

  /// Called by a helper: waits until the work begins and returns the helper's share; nil if the work has begun already.
  func join() -> Share? {
    let before = joined.add(1, ordering: .acquiringAndReleasing).oldValue
    guard before < Self.closed else { return nil }
    spin { joined.load(ordering: .acquiring) >= Self.closed }
    return Share(index: before + 1, count: barrier.count)
  }

  /// Called by the caller: begins the work with the helpers that have joined.
  func begin(expecting helpers: Int, patience: Duration) -> Share {
    let deadline = ContinuousClock.now + patience
    while joined.load(ordering: .relaxed) < helpers, ContinuousClock.now < deadline { ck_relax() }
    // Another helper may join between this load and the closing.
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

/// A barrier at which cores wait for each other.
package final class Barrier: Sendable {
  /// The number of cores; set before the first of them waits.
  fileprivate let expected = Atomic(1)
  private let arrived = Atomic(0)
  private let generation = Atomic(0)

  /// The barrier of a single core, which never waits.
  static let none = Barrier()

  fileprivate var count: Int {
    get { expected.load(ordering: .relaxed) }
    set { expected.store(newValue, ordering: .relaxed) }
  }

  /// Returns when all cores have called this as often as the caller.
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

/// Spins until `condition` holds, which another core causes; after a while yields to other threads.
private func spin(until condition: () -> Bool) {
  var tries = 0
  while !condition() {
    tries += 1
    if tries < 4096 { ck_relax() } else { sched_yield() }
  }
}
