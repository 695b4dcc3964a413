import DequeModule

/// Remembers the sessions that an earlier process had and did not hand over, so that their clients are told so rather
/// than that there never were any.
///
/// A session takes 8 bytes, a hash of its key, as there may be as many as there were sessions. A chance match, one in
/// 2⁶⁴ for each pair of keys, gets 410 in place of 404.
package struct LostSessions: Sendable {
  /// The most sessions remembered; those that were lost first are forgotten first. This many take 27 MiB, as measured.
  package static let maxCount = 1 << 20

  private let limit: Int
  private var hashes: Set<UInt64> = []
  /// The hashes in the order in which they were inserted, with some that have been removed since.
  private var order: Deque<UInt64> = []

  init(limit: Int = Self.maxCount) { self.limit = limit }

  func contains(_ key: SessionTable.Key) -> Bool {
    !hashes.isEmpty && hashes.contains(key.stableHash)
  }

  /// Called before the first request only, so that no hash is inserted again after it was removed.
  mutating func insert(_ hash: UInt64) {
    guard hashes.insert(hash).inserted else { return }
    order.append(hash)
    if order.count > limit, let first = order.popFirst() { hashes.remove(first) }
  }

  mutating func remove(_ key: SessionTable.Key) {
    if !hashes.isEmpty { hashes.remove(key.stableHash) }
  }

  /// The hashes to hand on to the next process, in the order in which they were inserted.
  var remembered: [UInt64] { order.filter(hashes.contains) }
}

extension SessionTable.Key {
  /// FNV-1a of the model's text, a zero byte and the id: the same in every process.
  var stableHash: UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    model.utf8.forEach(add)
    add(0)
    id.utf8.forEach(add)
    return hash
  }
}
