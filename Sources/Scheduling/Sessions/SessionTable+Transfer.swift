import Inference

extension SessionTable {
  /// A session as it is carried from one process to the next.
  package struct Record: Sendable, Equatable {
    package let key: Key
    package let state: SequenceState
    /// The time since the session began, and since it was last used.
    package let age: Duration
    package let idle: Duration

    package init(key: Key, state: SequenceState, age: Duration, idle: Duration) {
      self.key = key
      self.state = state
      self.age = age
      self.idle = idle
    }
  }

  /// Freezes the sessions, for their way to the next process: from now on none moves, begins or ends.
  package mutating func freeze() { isFrozen = true }

  /// An iteration over the sessions of a frozen table, the least recently used first.
  package struct Walk: Sendable {
    fileprivate var next: Int?
  }

  package func walk() -> Walk { Walk(next: entries.oldest) }

  /// The next sessions of an iteration, up to `limit` of them; none at its end.
  package func records(_ walk: inout Walk, limit: Int = .max, now: Instant) -> [Record] {
    var found: [Record] = []
    while found.count < limit, let index = walk.next {
      let entry = entries[index]
      if let state = entry.state {
        found.append(
          Record(
            key: entry.key, state: state, age: entry.created.duration(to: now),
            idle: entry.used.duration(to: now)))
      }
      walk.next = entries.newer(than: index)
    }
    return found
  }

  /// The sessions that are gone, and why, in the order in which they ended.
  package var rememberedEnds: [(key: Key, reason: SessionEnd)] { ends.remembered }

  /// Adds a session of an earlier process. Sessions come in the order of `records`, before any request.
  package mutating func restore(_ record: Record, now: Instant) {
    let byteCount = Self.byteCount(of: record.key, floatCount: record.state.floats.count)
    guard indices[record.key] == nil else { return }
    guard byteCount <= limits.maxBytes else { return remember(record.key, .evicted) }
    makeRoom(byteCount)
    insert(
      Entry(
        key: record.key, state: record.state, byteCount: byteCount, created: now - record.age,
        used: now - record.idle))
  }

  /// Remembers that an earlier process had a session and did not hand it over.
  package mutating func rememberLost(_ key: Key) { lost.insert(key.stableHash) }

  /// Remembers the sessions that still earlier processes had lost: the earlier process's `rememberedLost`.
  package mutating func rememberLost(_ hashes: [UInt64]) {
    for hash in hashes { lost.insert(hash) }
  }

  /// The sessions that earlier processes did not hand over, as hashes of their keys, in the order in which they were
  /// lost.
  package var rememberedLost: [UInt64] { lost.remembered }

  /// Remembers why a session is gone: one of this process, or one of an earlier process that can't go on here.
  package mutating func remember(_ key: Key, _ reason: SessionEnd) {
    ends.insert(key, reason)
  }
}
