import Synchronization

/// The memory that a process may hold for its clients: bodies, documents, responses and unsent output together.
///
/// Memory that the server is about to use is reserved first, and refused where it does not fit. Memory that clients
/// have already made the server hold is only counted, by `add`. Each client has a `MemoryAccount` in the budget.
package final class MemoryBudget: Sendable {
  /// The most bytes that may be held.
  package let limit: Int
  private let held = Atomic(0)
  private let peak = Atomic(0)
  private let refusals = Atomic(0)

  /// The limit divided by this is kept for clients that hold little, so that short requests are answered while
  /// responses wait for slow readers: large ones, or many over one connection.
  private static let smallClientReserveDivisor = 8
  /// A client holds little if it holds, with what it asks for, at most the limit divided by this.
  private static let smallClientDivisor = 1024

  /// An empty budget.
  package init(limit: Int) { self.limit = limit }

  /// The largest reservation that an empty budget grants.
  package var largestReservation: Int {
    max(limit - limit / Self.smallClientReserveDivisor, smallBytes)
  }

  /// The largest reservation that may ever be granted beside `bytes` that are held for the same request.
  package func largestReservation(beside bytes: Int) -> Int { max(0, largestReservation - bytes) }

  private var smallBytes: Int { limit / Self.smallClientDivisor }

  /// The bytes held now.
  package var heldBytes: Int { held.load(ordering: .relaxed) }

  /// The number of reservations refused since the start.
  package var refusalCount: Int { refusals.load(ordering: .relaxed) }

  /// Whether more than the limit is held: memory that is only counted has no bound of its own.
  package var isExceeded: Bool { heldBytes > limit }

  /// Whether the budget is used up, so that nothing should be begun that only adds to it.
  package var isFull: Bool { heldBytes >= limit }

  /// Reserves `bytes` for a client that holds nothing else, all or nothing; nil where they do not fit now.
  package func reserve(_ bytes: Int) -> MemoryReservation? { MemoryAccount(self).reserve(bytes) }

  /// Counts `growth` more bytes, or fewer where it is negative; the bytes can't be refused.
  package func add(_ growth: Int) {
    let bytes = held.add(growth, ordering: .relaxed).newValue
    if growth > 0 { notePeak(bytes) }
  }

  /// Counts a request that was refused for lack of memory without an attempt to reserve.
  package func countRefusal() { refusals.add(1, ordering: .relaxed) }

  /// The peak of held bytes since the last call.
  package func takePeak() -> Int { peak.exchange(heldBytes, ordering: .relaxed) }

  /// Reserves `bytes` for a client that then holds `total` bytes; false where they do not fit now.
  func reserve(_ bytes: Int, total: Int) -> Bool {
    let bound = total <= smallBytes ? limit : largestReservation
    var current = heldBytes
    while bytes <= bound - current {
      let (exchanged, original) = held.compareExchange(
        expected: current, desired: current + bytes, ordering: .relaxed)
      if exchanged {
        notePeak(current + bytes)
        return true
      }
      current = original
    }
    countRefusal()
    return false
  }

  private func notePeak(_ bytes: Int) {
    if bytes > peak.load(ordering: .relaxed) { peak.max(bytes, ordering: .relaxed) }
  }
}
