import CSQLite
import Glibc
import Inference
import Scheduling

/// A session as a store has it, for commands that list, copy and check what no server has open.
package struct StoredSession: Sendable, Equatable {
  package let key: SessionTable.Key
  package let version: Int
  package let steps: Int
  /// When it began and when it was last used, in milliseconds since 1970.
  package let created: Int
  package let used: Int
  /// The state after its steps; nil where it is damaged, or of a key that is not there, or was not asked for.
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

/// The sessions of a file that no server has, one after another, so that memory holds a few of them.
package final class StoredSessions {
  /// What `next` finds.
  package enum Finding: Sendable, Equatable {
    case session(StoredSession)
    /// Its state is not what was stored.
    case damaged(StoredSession)
    /// It was encrypted with a key that is not given.
    case locked(StoredSession, keyName: String)
  }

  private let database: SessionDatabase
  private let rows: SQLiteStatement
  private let delete: SQLiteStatement
  private let codec: StateCodec
  private var last = 0
  // Behind the database, which ends before it.
  private let lock: StoreLock

  /// How many sessions share a transaction, and are in memory at once.
  package static let batchCount = 64

  /// Opens the file at `path`.
  ///
  /// - Parameter mayBeNew: whether the file is made where there is none.
  /// - Throws: `taken` where a server or another command has it.
  package init(
    path: String, sealing: StateSealing?, mayBeNew: Bool = false
  ) throws(FileStoreError) {
    // SAFETY: the path is a zero-terminated string for the length of the call.
    guard unsafe mayBeNew || access(path, R_OK | W_OK) == 0 else { throw .system(code: errno) }
    lock = try StoreLock(ofFile: path, patience: .zero)
    // Commands don't hurry: what they report as done is on the disk.
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

  /// The names under which models were served, by fingerprint.
  package func modelNames() throws(FileStoreError) -> [String: String] {
    do throws(SQLiteError) {
      let found = try database.database.prepare(
        "SELECT fingerprint, name FROM model JOIN name ON model = number ORDER BY is_current")
      var names: [String: String] = [:]
      while try found.next() { names[found.text(0)] = found.text(1) }
      return names
    } catch { throw .sqlite(error) }
  }

  /// The next sessions; empty after the last.
  package func next() throws(FileStoreError) -> [Finding] {
    do throws(SQLiteError) {
      var found: [Finding] = []
      var isThere = try rows.first(.integer(last))
      while isThere {
        last = rows.integer(0)
        found.append(finding())
        isThere = try rows.next()
      }
      return found
    } catch { throw .sqlite(error) }
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
      case .noKey(let name): return .locked(session(nil), keyName: name)
      }
    }
  }

  /// Writes sessions, on the disk when it returns; one whose id is taken stays as it is.
  ///
  /// - Returns: those that were not written, as the file has others of their ids.
  package func add(_ sessions: [StoredSession]) throws(FileStoreError) -> [StoredSession] {
    do throws(SQLiteError) {
      return try database.transaction { () throws(SQLiteError) in
        var refused: [StoredSession] = []
        for session in sessions where !(try add(session)) { refused.append(session) }
        return refused
      }
    } catch { throw .sqlite(error) }
  }

  /// Whether the session is in the file now, or was.
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

  /// Takes sessions out, as they are elsewhere now: no end of them is remembered.
  package func remove(_ sessions: [StoredSession]) throws(FileStoreError) {
    do throws(SQLiteError) {
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
    } catch { throw .sqlite(error) }
  }

  /// What SQLite finds wrong with the file's own structure, up to ten things; nothing where it is whole.
  package func flaws() throws(FileStoreError) -> [String] {
    do throws(SQLiteError) {
      let rows = try database.database.prepare("PRAGMA integrity_check(10)")
      var found: [String] = []
      while try rows.next() { found.append(rows.text(0)) }
      return found == ["ok"] ? [] : found
    } catch {
      guard error.code & 0xFF == SQLITE_CORRUPT else { throw .sqlite(error) }
      return [error.message]
    }
  }
}
