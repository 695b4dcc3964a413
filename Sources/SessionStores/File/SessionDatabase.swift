import CSQLite
import Scheduling

/// The sessions of a file, in an SQLite database. Only one thread at a time uses it, as the lock of the store that owns
/// it ensures; so it may be passed from thread to thread.
///
/// Each session is a row. The columns that a step changes (version, steps, used, state) are in no index, so that a step
/// writes one page. `listed`, which is indexed, is the value that `used` had when the session was last looked at, so it
/// is never above `used`. To find the least recently used sessions, look at the lowest `listed`, and update `listed` of
/// those that were used since.
final class SessionDatabase: @unchecked Sendable {
  /// The pages of 4 KiB in the write-ahead log at which the writing thread copies them into the database, in case the
  /// other thread, which does so each second, does not keep up. A start after a crash has to read the log, of 16 MiB at
  /// this limit.
  private static let maxLogPages = 4096

  let database: SQLiteDatabase
  let statements: Statements
  private let reserve: DiskReserve
  /// The least size of the database's file in bytes; 0 until this process has committed something.
  var committedBytes: Int { reserve.committedBytes }
  let limits: FileSessionLimits
  let codec: StateCodec
  var counts = StoreCounts()
  /// The number of transactions committed.
  private(set) var commitCount = 0

  /// Opens the file at `path`.
  ///
  /// - Parameters:
  ///   - checkpoints: the lock that is held by whoever copies the log into this database.
  ///   - mayBeNew: whether an empty file is a new store; otherwise its sessions were removed, and it is refused.
  /// - Throws: if the file is another program's or a later version's, or SQLite fails.
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
      // NORMAL syncs the log before its content is copied into the database, FULL after each commit as well.
      let level = durability == .sync ? "FULL" : "NORMAL"
      try database.execute("PRAGMA synchronous = \(level)")
      try database.execute("PRAGMA wal_autocheckpoint = \(maxLogPages)")
      try database.execute("PRAGMA cache_size = -16384")
      // Temporary data of a transaction stays in memory, so that it needs no room on another disk.
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

  /// Calls `body` in a transaction: all of it takes effect, or nothing. If the disk is full, empties the log and tries
  /// once more.
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
      // Some errors roll the transaction back by themselves.
      if database.isInTransaction { try? database.execute("ROLLBACK") }
      throw error
    }
  }

  // MARK: - Models

  /// Records under which names models are served now.
  func register(_ served: [(name: String, fingerprint: String)]) throws(SQLiteError) {
    try transaction { () throws(SQLiteError) in
      try database.execute("UPDATE name SET is_current = 0")
      for model in served {
        try statements.addName.run(
          .text(model.name), .integer(try number(ofModel: model.fingerprint)))
      }
    }
  }

  /// The number that stands for a model in the file; a model without one gets one.
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

  /// Makes the moves of many requests in one transaction, and then room for them. Of each request, all moves are made
  /// or none.
  ///
  /// - Returns: for each request, the problem with the first session whose version was not the expected one; nil if
  ///   there was none.
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
    // A single move that is refused changes nothing, so it needs no savepoint.
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
