import CSQLite
import Scheduling

/// The sessions of a file, in SQLite: for one thread at a time, as the lock of the store that has it sees to; so it may be handed
/// from thread to thread.
///
/// A row a session. What a step changes (version, steps, when it was used, state) is in no index, so that a step writes one
/// page: `listed`, which is indexed, is when a session was used as of the last look at it, at most what `used` says. Whoever
/// wants the least recently used begins with the least `listed`, and lists those anew that were used since.
final class SessionDatabase: @unchecked Sendable {
  /// Pages of 4 KiB in the write-ahead log before the thread that writes copies them into the database, where the other
  /// thread, which does so each second, does not keep up. A start after a crash reads the log: this is 16 MiB.
  private static let maxLogPages = 4096

  let database: SQLiteDatabase
  let statements: Statements
  private let reserve: DiskReserve
  /// The bytes that the database's file has at least; 0 where that has yet to be made sure.
  var committedBytes: Int { reserve.committedBytes }
  let limits: FileSessionLimits
  let codec: StateCodec
  var counts = StoreCounts()
  /// The transactions that were made.
  private(set) var commitCount = 0

  /// Opens the file at `path`.
  ///
  /// - Parameters:
  ///   - checkpoints: taken by whoever copies the log into this database.
  ///   - mayBeNew: whether an empty file is one of no sessions yet; else they have gone.
  /// - Throws: where that is another program's file, or a later version's, or SQLite fails.
  init(
    path: String, durability: SessionDurability, limits: FileSessionLimits,
    codec: StateCodec = StateCodec(nil), checkpoints: CheckpointLock = CheckpointLock(),
    mayBeNew: Bool
  ) throws(FileStoreError) {
    self.limits = limits
    self.codec = codec
    database = try Self.open(path, durability, mayBeNew: mayBeNew)
    do throws(SQLiteError) {
      statements = try Statements(database)
      reserve = try DiskReserve(database, checkpoints)
      let rows = try database.prepare("SELECT number, fingerprint, count, bytes FROM model")
      while try rows.next() {
        counts.add(rows.integer(0), fingerprint: rows.text(1))
        counts.count(rows.integer(0), sessions: rows.integer(2), bytes: rows.integer(3))
      }
      counts.changedModels = []
    } catch {
      throw error.code & 0xFF == SQLITE_NOTADB ? .otherFile : .sqlite(error)
    }
  }

  private static func open(
    _ path: String, _ durability: SessionDurability, mayBeNew: Bool
  ) throws(FileStoreError) -> SQLiteDatabase {
    var found: (database: SQLiteDatabase, isNew: Bool, id: Int, layout: Int)
    do throws(SQLiteError) {
      let database = try SQLiteDatabase(path: path)
      try database.execute("PRAGMA busy_timeout = 2000")
      let id = try database.number("PRAGMA application_id")
      let isNew = id == 0 ? try database.number("SELECT count(*) FROM sqlite_master") == 0 : false
      found = (database, isNew, id, 0)
    } catch {
      throw error.code & 0xFF == SQLITE_NOTADB ? .otherFile : .sqlite(error)
    }
    guard (found.isNew && mayBeNew) || found.id == StoreLayout.applicationID else {
      throw .otherFile
    }
    do throws(SQLiteError) {
      let database = found.database
      try database.execute("PRAGMA journal_mode = WAL")
      // NORMAL syncs before what is in the log goes into the database, FULL after each commit.
      let level = durability == .sync ? "FULL" : "NORMAL"
      try database.execute("PRAGMA synchronous = \(level)")
      try database.execute("PRAGMA wal_autocheckpoint = \(maxLogPages)")
      try database.execute("PRAGMA cache_size = -16384")
      // What a transaction puts aside needs no other disk.
      try database.execute("PRAGMA temp_store = MEMORY")
      if found.isNew {
        try database.execute(
          "BEGIN; \(StoreLayout.schema) PRAGMA application_id = \(StoreLayout.applicationID);"
            + "PRAGMA user_version = \(StoreLayout.number); COMMIT")
      }
      found.layout = try database.number("PRAGMA user_version")
    } catch {
      throw .sqlite(error)
    }
    guard found.layout == StoreLayout.number else { throw .otherLayout(found: found.layout) }
    return found.database
  }

  /// Calls `body` in a transaction, of which all is done or nothing; where the disk is full, again once the log was emptied.
  func transaction<Value>(
    _ body: () throws(SQLiteError) -> Value
  ) throws(SQLiteError) -> Value {
    do throws(SQLiteError) { return try transactionOnce(body) } catch {
      guard error.isOfFullDisk else { throw error }
    }
    try reserve.recover()
    return try transactionOnce(body)
  }

  private func transactionOnce<Value>(
    _ body: () throws(SQLiteError) -> Value
  ) throws(SQLiteError) -> Value {
    let before = counts
    do throws(SQLiteError) {
      _ = try statements.begin.run()
      let value = try body()
      for model in counts.changedModels {
        let usage = counts.usage[model] ?? .init()
        try statements.setUsage.run(
          .integer(usage.count), .integer(usage.byteCount), .integer(model))
      }
      counts.changedModels = []
      try reserve.commit(by: statements.commit)
      commitCount += 1
      return value
    } catch {
      counts = before
      // Some errors have ended the transaction by themselves.
      if database.isInTransaction { try? database.execute("ROLLBACK") }
      throw error
    }
  }

  // MARK: - Models

  /// Remembers under which names models are served now.
  func register(_ served: [(name: String, fingerprint: String)]) throws(SQLiteError) {
    try transaction { () throws(SQLiteError) in
      try database.execute("UPDATE name SET is_current = 0")
      for model in served {
        try statements.addName.run(
          .text(model.name), .integer(try number(ofModel: model.fingerprint)))
      }
    }
  }

  /// The number of a model, which it gets with its first session.
  func number(ofModel fingerprint: String) throws(SQLiteError) -> Int {
    if let number = counts.models[fingerprint] { return number }
    try statements.addModel.run(.text(fingerprint))
    guard try statements.findModel.first(.text(fingerprint)) else {
      throw SQLiteError(code: SQLITE_CORRUPT, message: "a model that was added is not there")
    }
    let number = statements.findModel.integer(0)
    statements.findModel.reset()
    counts.add(number, fingerprint: fingerprint)
    return number
  }

  // MARK: - Moves

  /// Makes the moves of many requests in one transaction, and room for them; of each request all or none.
  ///
  /// - Returns: for each request the session that was otherwise than it believed, if there was one.
  func make(
    _ requests: [[SessionMove]], now: Int, mayEnd: (SessionTable.Key, SessionEnd) -> Bool
  ) throws(SQLiteError) -> [SessionStoreProblem?] {
    try transaction { () throws(SQLiteError) in
      var problems: [SessionStoreProblem?] = []
      for moves in requests { problems.append(try make(moves, now: now)) }
      try makeRoom(now: now, mayEnd: mayEnd)
      return problems
    }
  }

  private func make(_ moves: [SessionMove], now: Int) throws(SQLiteError) -> SessionStoreProblem? {
    // One alone changes nothing where it is refused.
    guard moves.count > 1 else {
      guard let move = moves.first else { return nil }
      return try make(move, now: now)
    }
    let before = counts
    try database.execute("SAVEPOINT request")
    for move in moves {
      guard let problem = try make(move, now: now) else { continue }
      try database.execute("ROLLBACK TO request; RELEASE request")
      counts = before
      return problem
    }
    try database.execute("RELEASE request")
    return nil
  }

  private func make(_ move: SessionMove, now: Int) throws(SQLiteError) -> SessionStoreProblem? {
    let model = try number(ofModel: move.key.model)
    let bytes = SessionTable.byteCount(of: move.key, floatCount: move.state.floats.count)
    let isThere = move.version > 0
    let changed: Int
    if move.ends {
      changed =
        isThere
        ? try statements.remove.run(
          .integer(model), .text(move.key.id), .integer(move.version)) : 1
      if changed > 0 {
        if isThere { counts.count(model, sessions: -1, bytes: -bytes) }
        try remember(model, move.key.id, .ended)
      }
    } else {
      let version = move.version + 1
      let (checksum, state) = codec.values(of: move.state, key: move.key, version: version)
      if isThere {
        changed = try statements.update.run(
          .integer(version), .integer(move.state.position), .integer(now),
          .integer(move.isAnew ? 1 : 0), .integer(now), checksum, state, .integer(model),
          .text(move.key.id), .integer(move.version))
      } else {
        changed = try statements.insert.run(
          .integer(model), .text(move.key.id), .integer(version), .integer(move.state.position),
          .integer(bytes), .integer(now), .integer(now), .integer(now), checksum, state)
        if changed > 0 {
          counts.count(model, sessions: 1, bytes: bytes)
          try statements.forget.run(.integer(model), .text(move.key.id))
        }
      }
    }
    guard changed == 0 else { return nil }
    let isFound = try statements.findSteps.first(.integer(model), .text(move.key.id))
    defer { statements.findSteps.reset() }
    return .moved(id: move.key.id, steps: isFound ? statements.findSteps.integer(0) : nil)
  }
}
