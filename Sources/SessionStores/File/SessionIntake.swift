import Inference
import Scheduling

/// Takes in sessions that were kept elsewhere.
struct SessionIntake {
  let database: SessionDatabase
  private var statements: Statements { database.statements }

  /// Takes in sessions and ends in one transaction, and makes room for them. What the file knows of an id stays.
  ///
  /// - Returns: what became of each.
  func takeOver(
    _ items: [SessionHandover], now: Int, mayEnd: (SessionTable.Key, SessionEnd) -> Bool
  ) throws(SQLiteError) -> [HandoverOutcome] {
    try database.transaction { () throws(SQLiteError) in
      var outcomes: [HandoverOutcome] = []
      for item in items { outcomes.append(try takeOver(item, now: now)) }
      try database.makeRoom(now: now, mayEnd: mayEnd)
      return outcomes
    }
  }

  private func takeOver(
    _ item: SessionHandover, now: Int
  ) throws(SQLiteError) -> HandoverOutcome {
    let (id, model) = (item.key.id, try database.number(ofModel: item.key.model))
    if try statements.find.first(.integer(model), .text(id)) {
      defer { statements.find.reset() }
      guard case .session(_, let version) = item else { return .present }
      return statements.find.integer(0) == version ? .taken : .present
    }
    if try statements.findEnd.first(.integer(model), .text(id)) {
      statements.findEnd.reset()
      return .ended
    }
    switch item {
    case .end(_, let reason): try database.remember(model, id, reason)
    case .session(let record, let version):
      let bytes = SessionTable.byteCount(
        of: record.key, floatCount: record.state.floats.count)
      let (checksum, state) = database.codec.values(
        of: record.state, key: record.key, version: version)
      let used = now - record.idle.wholeMilliseconds
      try statements.insert.run(
        .integer(model), .text(id), .integer(version), .integer(record.state.position),
        .integer(bytes), .integer(now - record.age.wholeMilliseconds), .integer(used),
        .integer(used), checksum, state)
      database.counts.count(model, sessions: 1, bytes: bytes)
    }
    return .taken
  }
}
