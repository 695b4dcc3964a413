import Inference

/// The table as a cache of a store.
extension SessionTable {
  /// The sessions that a request takes up or copies, and that are not here: the store has to be asked for them.
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

  /// What the store is told once a request that has `key` open is done; nil where no request has.
  func move(of key: Key, to state: SequenceState, ends: Bool) -> SessionMove? {
    guard let index = indices[key], case .open(let anew) = entries[index].use else { return nil }
    return SessionMove(
      key: key, version: entries[index].version, state: state, isAnew: anew, ends: ends)
  }

  /// Lets go of a session that nobody has open, as the store is about to end it; false where it is in use.
  mutating func letGo(_ key: Key, because reason: SessionEnd, now: Instant) -> Bool {
    guard let index = indices[key] else { return true }
    guard entries[index].use == .idle else { return false }
    if reason == .expired, entries[index].used + limits.idleTimeout > now { return false }
    remove(index)
    return true
  }

  /// Forgets a session that is otherwise in the store, whoever has it open.
  mutating func discard(_ key: Key) {
    guard let index = indices[key] else { return }
    if entries[index].use != .idle { openByteCount -= entries[index].byteCount }
    remove(index)
  }
}
