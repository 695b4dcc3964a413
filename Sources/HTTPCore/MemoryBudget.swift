import Synchronization

/// What a process may hold for its clients: bodies, documents, answers and unread output together.
///
/// What the server is about to make is reserved first, and refused where it does not fit. What clients
/// have made it hold already is only counted, with `add`. Each client has a `MemoryAccount` of it.
package final class MemoryBudget: Sendable {
  /// The most bytes that may be held.
  package let limit: Int
  private let held = Atomic(0)
  private let peak = Atomic(0)
  private let refusals = Atomic(0)

  /// The part of the limit that is left to clients who hold little, so that short questions are answered while answers
  /// wait for slow readers: large ones, or many over one connection.
  private static let smallShare = 8
  /// A client holds little up to this part of the limit, with what it asks for.
  private static let largestSmall = 1024

  /// A budget of which nothing is used.
  package init(limit: Int) { self.limit = limit }

  /// The largest reservation that an empty budget admits.
  package var largestReservation: Int { max(limit - limit / Self.smallShare, smallBytes) }

  /// The largest reservation that is ever admitted beside `bytes` that are held for the same request.
  package func largestReservation(beside bytes: Int) -> Int { max(0, largestReservation - bytes) }

  private var smallBytes: Int { limit / Self.largestSmall }

  /// The bytes that are held now.
  package var heldBytes: Int { held.load(ordering: .relaxed) }

  /// Reservations refused since the start.
  package var refusalCount: Int { refusals.load(ordering: .relaxed) }

  /// Whether more is held than may be, since what is only counted has no bound of its own.
  package var isExceeded: Bool { heldBytes > limit }

  /// Whether nothing more should be begun that only adds to what is held.
  package var isFull: Bool { heldBytes >= limit }

  /// Reserves `bytes` for a client that holds nothing else, all of them or none; nil where they do not fit now.
  package func reserve(_ bytes: Int) -> MemoryReservation? { MemoryAccount(self).reserve(bytes) }

  /// Counts `growth` bytes more, or fewer where it is negative, that can't be refused.
  package func add(_ growth: Int) {
    let bytes = held.add(growth, ordering: .relaxed).newValue
    if growth > 0 { notePeak(bytes) }
  }

  /// Counts a request that was refused for want of memory without a reservation.
  package func countRefusal() { refusals.add(1, ordering: .relaxed) }

  /// The most that was held since the last call.
  package func takePeak() -> Int { peak.exchange(heldBytes, ordering: .relaxed) }

  /// Takes `bytes` for a client that holds `total` with them; false where they do not fit now.
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
