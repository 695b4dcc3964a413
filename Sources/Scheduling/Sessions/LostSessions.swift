import DequeModule

/// Sessions that an earlier process had and did not hand over: their clients are told so, rather than that there never were any.
///
/// Of each there are 8 bytes, a hash of its name, as there may be as many as there were sessions. A chance match, one in
/// 2⁶⁴ a pair, gets 410 in place of 404.
package struct LostSessions: Sendable {
  /// How many are remembered; those that were lost first are forgotten first. All of them take 27 MiB, as measured.
  package static let maxCount = 1 << 20

  private let limit: Int
  private var hashes: Set<UInt64> = []
  /// The hashes in the order in which they came, with some that have been removed since.
  private var order: Deque<UInt64> = []

  init(limit: Int = Self.maxCount) { self.limit = limit }

  func contains(_ key: SessionTable.Key) -> Bool {
    !hashes.isEmpty && hashes.contains(key.stableHash)
  }

  /// They are noted before the first request, so that what is removed does not come again.
  mutating func insert(_ hash: UInt64) {
    guard hashes.insert(hash).inserted else { return }
    order.append(hash)
    if order.count > limit, let first = order.popFirst() { hashes.remove(first) }
  }

  mutating func remove(_ key: SessionTable.Key) {
    if !hashes.isEmpty { hashes.remove(key.stableHash) }
  }

  /// The hashes, for the next process: those that came first stand first.
  var remembered: [UInt64] { order.filter(hashes.contains) }
}

extension SessionTable.Key {
  /// The same in every process: FNV-1a of what tells the model, a zero, and the id.
  var stableHash: UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    model.utf8.forEach(add)
    add(0)
    id.utf8.forEach(add)
    return hash
  }
}
