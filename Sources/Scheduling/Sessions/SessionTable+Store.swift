import Inference

/// The table as a cache of a store.
extension SessionTable {
  /// The sessions that a request opens or copies and that are not in the table: the store has to be asked for them.
  func missing(for openings: [Opening], model: String) -> [Key] {
    var missing: [Key] = []
    for opening in openings {
      var ids = [opening.id]
      if case .fork(let source) = opening.way { ids.append(source) }
      for key in ids.map({ Key(model: model, id: $0) }) where indices[key] == nil {
        if !missing.contains(key) { missing.append(key) }
      }
    }
    return missing
  }

  /// The move to write to the store when the request that has `key` open is done; nil if no request has it open.
  func move(of key: Key, to state: SequenceState, ends: Bool) -> SessionMove? {
    guard let index = indices[key], case .open(let anew) = entries[index].use else { return nil }
    return SessionMove(
      key: key, version: entries[index].version, state: state, isAnew: anew, ends: ends)
  }

  /// Removes a session that the store is about to end. Returns false if the session has to stay: a request has it open,
  /// or it was used too recently to expire.
  mutating func allowEnd(_ key: Key, because reason: SessionEnd, now: Instant) -> Bool {
    guard let index = indices[key] else { return true }
    guard entries[index].use == .idle else { return false }
    if reason == .expired, entries[index].used + limits.idleTimeout > now { return false }
    remove(index)
    return true
  }

  /// Removes a session from the table, even if a request has it open, since what the store has counts.
  mutating func discard(_ key: Key) {
    guard let index = indices[key] else { return }
    if entries[index].use != .idle { openByteCount -= entries[index].byteCount }
    remove(index)
  }
}
