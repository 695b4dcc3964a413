import Inference
import Scheduling

/// How sessions are looked up, and how they end.
extension SessionDatabase {
  /// The most ends that are remembered; beyond that, the oldest are forgotten.
  static let maxEnds = 1 << 18

  /// Looks up sessions; returns a finding for each key, in the keys' order.
  func find(
    _ keys: [SessionTable.Key], floatCount: Int, now: Int
  ) throws(SQLiteError) -> [SessionFinding] {
    var found: [SessionFinding] = []
    for key in keys { found.append(try find(key, floatCount: floatCount, now: now)) }
    return found
  }

  /// Looks up a session. Ends it if it is expired or damaged.
  ///
  /// - Parameter floatCount: the number of floats that a state must have.
  private func find(
    _ key: SessionTable.Key, floatCount: Int, now: Int
  ) throws(SQLiteError) -> SessionFinding {
    guard let model = counts.models[key.model] else { return .unknown }
    guard let row = try row(of: key, model) else { return try end(of: key, model) }
    guard row.used + limits.idleMilliseconds > now else {
      return try end(row, key, model, .expired)
    }
    guard let floats = row.floats, row.steps > 0, floats.count == floatCount else {
      return try end(row, key, model, .damaged)
    }
    return .session(
      SessionTable.Record(
        key: key, state: SequenceState(position: row.steps, floats: floats),
        age: .milliseconds(max(0, now - row.created)),
        idle: .milliseconds(max(0, now - row.used))), version: row.version)
  }

  private struct Row {
    let version: Int
    let steps: Int
    let bytes: Int
    let created: Int
    let used: Int
    /// Nil if the state is damaged.
    let floats: [Float]?
  }

  private func row(of key: SessionTable.Key, _ model: Int) throws(SQLiteError) -> Row? {
    let found = statements.find
    guard try found.first(.integer(model), .text(key.id)) else { return nil }
    defer { found.reset() }
    let (version, steps) = (found.integer(0), found.integer(1))
    let floats: [Float]?
    do throws(StateSealingError) {
      floats = try codec.floats(
        of: found, 6, checksum: found.integer(5), key: key, version: version, steps: steps)
    } catch {
      // Not damaged: an operator may have the key that is missing.
      if case .noKey(let missing) = error { throw .noKey(missing, id: key.id) }
      floats = nil
    }
    return Row(
      version: version, steps: steps, bytes: found.integer(2), created: found.integer(3),
      used: found.integer(4), floats: floats)
  }

  /// Ends a session that was found expired or damaged, and remembers the reason.
  private func end(
    _ row: Row, _ key: SessionTable.Key, _ model: Int, _ reason: SessionEnd
  ) throws(SQLiteError) -> SessionFinding {
    try transaction { () throws(SQLiteError) in
      try statements.remove.run(.integer(model), .text(key.id), .integer(row.version))
      counts.count(model, sessions: -1, bytes: -row.bytes)
      try remember(model, key.id, reason)
    }
    return .ended(reason)
  }

  /// Records that sessions are in use, although they do not move.
  func touch(_ keys: [SessionTable.Key], now: Int) throws(SQLiteError) {
    try transaction { () throws(SQLiteError) in
      for key in keys {
        guard let model = counts.models[key.model] else { continue }
        try statements.use.run(.integer(now), .integer(model), .text(key.id))
      }
    }
  }

  /// Why there is no session `key`, if the file remembers that.
  private func end(of key: SessionTable.Key, _ model: Int) throws(SQLiteError) -> SessionFinding {
    if try statements.findEnd.first(.integer(model), .text(key.id)) {
      defer { statements.findEnd.reset() }
      return SessionEnd(rawValue: UInt8(truncatingIfNeeded: statements.findEnd.integer(0)))
        .map { .ended($0) } ?? .unknown
    }
    let isOfOther = try statements.findNamesake.first(.text(key.id), .integer(model))
    statements.findNamesake.reset()
    return isOfOther ? .ended(.otherModel) : .unknown
  }

  /// Remembers why a session is gone.
  func remember(_ model: Int, _ id: String, _ reason: SessionEnd) throws(SQLiteError) {
    counts.ends[reason, default: 0] += 1
    try statements.addEnd.run(.integer(model), .text(id), .integer(Int(reason.rawValue)))
    try statements.forgetEnds.run(.integer(Self.maxEnds))
  }

  /// Ends sessions, the least recently used first, until the others fit.
  func makeRoom(
    now: Int, mayEnd: (SessionTable.Key, SessionEnd) -> Bool
  ) throws(SQLiteError) {
    while counts.byteCount > limits.maxBytes {
      // A session that was used in this very millisecond counts as in use.
      guard try endOldest(.storeFull, before: now - 1, now: now, mayEnd: mayEnd) else { return }
    }
  }

  /// Ends up to 256 sessions that nobody has used for `idleMilliseconds`. If sessions take more than `maxBytes`, as
  /// after a start with a lower limit, ends the least recently used ones instead.
  ///
  /// - Returns: whether there may be more to end.
  func expire(
    now: Int, mayEnd: (SessionTable.Key, SessionEnd) -> Bool
  ) throws(SQLiteError) -> Bool {
    if counts.byteCount > limits.maxBytes {
      return try transaction { () throws(SQLiteError) in
        try endOldest(.storeFull, before: now - 1, now: now, mayEnd: mayEnd)
      }
    }
    let last = now - limits.idleMilliseconds
    guard try statements.findOldest.first(.integer(last)) else { return false }
    statements.findOldest.reset()
    return try transaction { () throws(SQLiteError) in
      try endOldest(.expired, before: last, now: now, mayEnd: mayEnd)
    }
  }

  /// Looks at up to 256 sessions, the lowest `listed` first. Ends those that were not used since they were listed,
  /// unless a request has them open; sets `listed` of the others to the time of their last use. For `storeFull`, stops
  /// ending them once the rest fits.
  ///
  /// - Parameter last: only sessions with a `listed` of at most this are looked at.
  /// - Returns: false if there were none to look at.
  private func endOldest(
    _ reason: SessionEnd, before last: Int, now: Int,
    mayEnd: (SessionTable.Key, SessionEnd) -> Bool
  ) throws(SQLiteError) -> Bool {
    let oldest = try self.oldest(before: last)
    var isInOrder = true
    for session in oldest {
      guard session.used == session.listed else {
        try statements.list.run(.integer(session.used), .integer(session.number))
        isInOrder = false
        continue
      }
      // A session that was listed anew may still be less recently used than those after it, so these are not ended
      // before it.
      if reason == .storeFull, !isInOrder || counts.byteCount <= limits.maxBytes { continue }
      guard mayEnd(session.key, reason) else {
        // A request has the session open: it counts as used now, and is looked at again when its time comes.
        try statements.touch.run(.integer(now), .integer(now), .integer(session.number))
        continue
      }
      try statements.removeNumber.run(.integer(session.number))
      counts.count(session.model, sessions: -1, bytes: -session.bytes)
      try remember(session.model, session.key.id, reason)
    }
    return !oldest.isEmpty
  }

  private struct OldSession {
    let number: Int
    let model: Int
    let key: SessionTable.Key
    let used: Int
    let listed: Int
    let bytes: Int
  }

  private func oldest(before last: Int) throws(SQLiteError) -> [OldSession] {
    var found: [OldSession] = []
    let rows = statements.findOldest
    var isThere = try rows.first(.integer(last))
    while isThere {
      let model = rows.integer(1)
      found.append(
        OldSession(
          number: rows.integer(0), model: model,
          key: .init(model: counts.fingerprints[model] ?? "", id: rows.text(2)),
          used: rows.integer(3),
          listed: rows.integer(4), bytes: rows.integer(5)))
      isThere = try rows.next()
    }
    return found
  }
}
