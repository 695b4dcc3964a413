import CSQLite
import Glibc
import Inference
import Scheduling

/// A session as a store has it, for commands that list, copy and check a store that no server has open.
package struct StoredSession: Sendable, Equatable {
  package let key: SessionTable.Key
  package let version: Int
  package let steps: Int
  /// When it began and when it was last used, in milliseconds since 1970.
  package let created: Int
  package let used: Int
  /// The state after its steps; nil if it is damaged or its key is missing.
  package let floats: [Float]?

  package init(
    key: SessionTable.Key, version: Int, steps: Int, created: Int, used: Int, floats: [Float]?
  ) {
    self.key = key
    self.version = version
    self.steps = steps
    self.created = created
    self.used = used
    self.floats = floats
  }
}

/// Reads the sessions of a file that no server has open, a batch at a time, so that memory holds only a few of them.
package final class StoredSessions {
  /// One thing that `next` finds.
  package enum Finding: Sendable, Equatable {
    case session(StoredSession)
    /// The session's state is not what was stored.
    case damaged(StoredSession)
    /// The session's state was encrypted with a key that is not given.
    case locked(StoredSession, MissingKey)
    /// The session is in a damaged part of the file; nil if its name can't be read either.
    case unreadable(SessionTable.Key?)
  }

  let database: SessionDatabase
  private let rows: SQLiteStatement
  private let delete: SQLiteStatement
  private let codec: StateCodec
  private var last = 0
  /// Whether sessions may be missing after those that were found, as the file's indexes are damaged too.
  package private(set) var isCut = false
  // Declared after the database, which is closed before it.
  private let lock: StoreLock

  /// The number of sessions that share a transaction, and are in memory at once.
  package static let batchCount = 64

  /// Opens the file at `path`.
  ///
  /// - Parameter mayBeNew: whether to create the file if there is none.
  /// - Throws: `taken` if a server or another command has the file.
  package init(
    path: String, sealing: StateSealing?, mayBeNew: Bool = false
  ) throws(FileStoreError) {
    // SAFETY: the path is a zero-terminated string for the length of the call.
    guard unsafe mayBeNew || access(path, R_OK | W_OK) == 0 else { throw .system(code: errno) }
    lock = try StoreLock(ofFile: path, patience: .zero)
    // Commands need not be fast, so each commit is synced: what they report as done is on the disk.
    let limits = FileSessionLimits(maxBytes: .max, idleTimeout: .seconds(31_536_000))
    codec = StateCodec(sealing)
    database = try SessionDatabase(
      path: path, durability: .sync, limits: limits, codec: codec, mayBeNew: mayBeNew)
    do throws(SQLiteError) {
      rows = try database.database.prepare(
        """
        SELECT number, model, id, version, steps, created, used, checksum, state FROM session
        WHERE number > ?1 ORDER BY number LIMIT \(Self.batchCount)
        """)
      delete = try database.database.prepare(
        "DELETE FROM session WHERE model = ?1 AND id = ?2 AND version = ?3")
    } catch { throw .sqlite(error) }
  }

  /// The next sessions, at most `batchCount`; empty after the last. Goes on after damaged parts of the file.
  package func next() throws(FileStoreError) -> [Finding] {
    var found: [Finding] = []
    do throws(SQLiteError) {
      var isThere = try rows.first(.integer(last))
      while isThere {
        last = rows.integer(0)
        found.append(finding())
        isThere = try rows.next()
      }
    } catch {
      guard error.isOfDamage else { throw .sqlite(error) }
      if found.isEmpty { return try nextByIndexes() }
    }
    return found
  }

  /// The next sessions when the table can't be read in order any more: takes their numbers from the first index that
  /// can be read, and reads the sessions one by one.
  private func nextByIndexes() throws(FileStoreError) -> [Finding] {
    for (index, name) in [
      ("session_id", "model, id"), ("session_model_listed", "model, NULL"),
      ("session_listed", "NULL, NULL"),
    ] {
      do throws(SQLiteError) {
        let numbers = try database.database.prepare(
          """
          SELECT number, \(name) FROM session INDEXED BY \(index)
          WHERE number > ?1 ORDER BY number LIMIT \(Self.batchCount)
          """)
        var places: [(number: Int, key: SessionTable.Key?)] = []
        var isThere = try numbers.first(.integer(last))
        while isThere {
          let model = database.counts.fingerprints[numbers.integer(1)]
          let id = numbers.text(2)
          places.append(
            (numbers.integer(0), id.isEmpty ? nil : model.map { .init(model: $0, id: id) }))
          isThere = try numbers.next()
        }
        last = places.last?.number ?? last
        return places.map { read($0.number) ?? .unreadable($0.key) }
      } catch {
        guard error.isOfDamage else { throw .sqlite(error) }
      }
    }
    isCut = true
    return []
  }

  /// The session with this number; nil if it can't be read.
  private func read(_ number: Int) -> Finding? {
    guard (try? rows.first(.integer(number - 1))) ?? false, rows.integer(0) == number else {
      rows.reset()
      return nil
    }
    defer { rows.reset() }
    return finding()
  }

  private func finding() -> Finding {
    let key = SessionTable.Key(
      model: database.counts.fingerprints[rows.integer(1)] ?? "", id: rows.text(2))
    func session(_ floats: [Float]?) -> StoredSession {
      StoredSession(
        key: key, version: rows.integer(3), steps: rows.integer(4), created: rows.integer(5),
        used: rows.integer(6), floats: floats)
    }
    do throws(StateSealingError) {
      let floats = try codec.floats(
        of: rows, 8, checksum: rows.integer(7), key: key, version: rows.integer(3),
        steps: rows.integer(4))
      return .session(session(floats))
    } catch {
      switch error {
      case .damaged: return .damaged(session(nil))
      case .noKey(let missing): return .locked(session(nil), missing)
      }
    }
  }

  /// Adds sessions; they are on the disk when it returns. A session whose id is taken by another one is not added.
  ///
  /// - Returns: the sessions that were not added.
  package func add(_ sessions: [StoredSession]) throws(FileStoreError) -> [StoredSession] {
    do throws(SQLiteError) {
      return try database.transaction { () throws(SQLiteError) in
        var refused: [StoredSession] = []
        for session in sessions where !(try add(session)) { refused.append(session) }
        return refused
      }
    } catch { throw .sqlite(error) }
  }

  /// Adds a session. Returns whether the file has it now, which is also true if the same session was there before.
  private func add(_ session: StoredSession) throws(SQLiteError) -> Bool {
    let model = try database.number(ofModel: session.key.model)
    let floats = session.floats ?? []
    let bytes = SessionTable.byteCount(of: session.key, floatCount: floats.count)
    let (checksum, state) = codec.values(
      of: SequenceState(position: session.steps, floats: floats), key: session.key,
      version: session.version)
    let count = try database.statements.insert.run(
      .integer(model), .text(session.key.id), .integer(session.version), .integer(session.steps),
      .integer(bytes), .integer(session.created), .integer(session.used), .integer(session.used),
      checksum, state)
    guard count == 0 else {
      database.counts.count(model, sessions: 1, bytes: bytes)
      try database.statements.forget.run(.integer(model), .text(session.key.id))
      return true
    }
    let found = database.statements.find
    defer { found.reset() }
    guard try found.first(.integer(model), .text(session.key.id)),
      found.integer(0) == session.version, found.integer(1) == session.steps
    else { return false }
    return floats
      == (try? codec.floats(
        of: found, 6, checksum: found.integer(5), key: session.key, version: session.version,
        steps: session.steps))
  }

  /// Removes sessions that another store has now, without remembering how they ended.
  ///
  /// - Returns: the sessions that could not be removed, as the file is damaged.
  package func remove(_ sessions: [StoredSession]) throws(FileStoreError) -> [StoredSession] {
    do throws(SQLiteError) {
      try removeAll(sessions)
      return []
    } catch {
      guard error.isOfDamage else { throw .sqlite(error) }
    }
    guard sessions.count > 1 else { return sessions }
    var left: [StoredSession] = []
    for session in sessions { left += try remove([session]) }
    return left
  }

  private func removeAll(_ sessions: [StoredSession]) throws(SQLiteError) {
    try database.transaction { () throws(SQLiteError) in
      for session in sessions {
        let model = try database.number(ofModel: session.key.model)
        let count = try delete.run(
          .integer(model), .text(session.key.id), .integer(session.version))
        if count > 0 {
          database.counts.count(
            model, sessions: -1,
            bytes: -SessionTable.byteCount(
              of: session.key, floatCount: session.floats?.count ?? 0))
        }
      }
    }
  }

  /// What SQLite finds wrong with the file's own structure, at most ten faults; empty if it is whole.
  package func flaws() throws(FileStoreError) -> [String] {
    var found: [String] = []
    do throws(SQLiteError) {
      let rows = try database.database.prepare("PRAGMA integrity_check(10)")
      while try rows.next() { found.append(rows.text(0)) }
    } catch {
      guard error.isOfDamage else { throw .sqlite(error) }
      found.append(error.message)
    }
    return found == ["ok"] ? [] : found
  }
}
