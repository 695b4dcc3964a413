import DequeModule

/// Remembers the names of sessions that are gone, so that their clients are told why.
package struct SessionEnds {
  /// The most sessions remembered; those that ended first are forgotten first.
  package static let maxCount = 65_536

  /// Why each session ended, and a number that tells two ends of one name apart.
  private var ends: [SessionTable.Key: (reason: SessionEnd, number: UInt64)] = [:]
  private var order: Deque<(key: SessionTable.Key, number: UInt64)> = []
  private var next: UInt64 = 0

  /// Why the session called `key` is gone; nil where that is not known.
  subscript(key: SessionTable.Key) -> SessionEnd? { ends[key]?.reason }

  /// The sessions that ended, in the order in which they did.
  var remembered: [(key: SessionTable.Key, reason: SessionEnd)] {
    order.compactMap { key, number in
      ends[key].flatMap { $0.number == number ? (key, $0.reason) : nil }
    }
  }

  mutating func insert(_ key: SessionTable.Key, _ reason: SessionEnd) {
    ends[key] = (reason, next)
    order.append((key, next))
    next += 1
    if order.count > Self.maxCount, let first = order.popFirst(),
      ends[first.key]?.number == first.number
    {
      ends[first.key] = nil
    }
  }

  /// Forgets the end of `key`, as there is a session of that name again.
  mutating func remove(_ key: SessionTable.Key) { ends[key] = nil }
}
