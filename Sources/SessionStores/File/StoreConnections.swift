import CSQLite
import Glibc
import Scheduling
import Synchronization

/// The open file of a store: the connection that writes, a side connection for lists and for copying the log, and the
/// lock that keeps other processes out.
///
/// They are opened as soon as possible, and again after failures. Before each use the files are checked
/// (`StoreFileWatch`), so that nothing is written to a file that the next process would not find.
final class StoreConnections: Sendable {
  private struct Writer {
    var lock: StoreLock?
    /// Nil until it is opened, for the first time or again after a failure.
    var database: SessionDatabase?
    /// Nil while nothing is open.
    var watch: StoreFileWatch?
    /// The least size of the database's file in bytes.
    var databaseBytes = 0
    /// Whether this process has not opened the file yet.
    var isFirst = true
    var ends: [SessionEnd: Int] = [:]
    /// The number of commits.
    var writeCount = 0
    /// How many of these commits were in the database when the whole log was last copied.
    var copiedCount = 0
    /// Why this process can't use the file any more; nil while it can.
    var loss: SQLiteError?
  }

  private let path: String
  private let durability: SessionDurability
  private let limits: FileSessionLimits
  private let codec: StateCodec
  private let served: [(name: String, fingerprint: String)]
  private let report: @Sendable (String) -> Void
  // Lock order: `writer`, `side`, `checkpoints`.
  private let writer = Mutex(Writer())
  private let side = Mutex<SQLiteDatabase?>(nil)
  private let checkpoints = CheckpointLock()

  /// Opens nothing yet.
  ///
  /// - Parameters:
  ///   - served: the models that are served, by name.
  ///   - report: receives messages for operators.
  init(
    path: String, durability: SessionDurability, limits: FileSessionLimits, codec: StateCodec,
    served: [(name: String, fingerprint: String)], report: @escaping @Sendable (String) -> Void
  ) {
    self.path = path
    self.durability = durability
    self.limits = limits
    self.codec = codec
    self.served = served
    self.report = report
  }

  /// Opens the file, or creates it.
  ///
  /// - Parameter patience: how long to wait for another process that has the file.
  /// - Returns: how many sessions it holds, and their size.
  func open(patience: Duration) throws(FileStoreError) -> StoreCounts {
    try writer.withLock { writer throws(FileStoreError) in
      try database(of: &writer, patience: patience).counts
    }
  }

  /// Calls `body` with the database, which is opened again if a failure had closed it.
  func withWriter<Value>(
    _ body: (SessionDatabase) throws(SQLiteError) -> Value
  ) throws(SQLiteError) -> Value {
    try writer.withLock { writer throws(SQLiteError) in
      try check(&writer)
      let current: SessionDatabase
      do throws(FileStoreError) { current = try database(of: &writer) } catch {
        if case .sqlite(let error) = error { throw error }
        if error.isOfFullDisk { throw .fullDisk(of: path) }
        throw SQLiteError(code: SQLITE_CANTOPEN, message: "\(error)")
      }
      let commitCount = current.commitCount
      defer {
        writer.writeCount += current.commitCount - commitCount
        writer.databaseBytes = current.committedBytes
        writer.ends = current.counts.ends
        writer.watch?.noteWrite(by: current.database)
      }
      do throws(SQLiteError) { return try body(current) } catch {
        // After such an error, the database may work again once it is opened anew.
        if error.isOfConnection { writer.database = nil }
        throw error
      }
    }
  }

  /// Calls `body` with the side connection; nil if the file is not open.
  func withMaintenanceConnection<Value>(
    _ body: (SQLiteDatabase) throws(SQLiteError) -> Value
  ) throws(SQLiteError) -> Value? {
    try side.withLock { side throws(SQLiteError) in
      guard let side else { return nil }
      return try body(side)
    }
  }

  /// Syncs the log and copies it into the database.
  func copyLog() throws(SQLiteError) {
    let writeCount = try writer.withLock { writer throws(SQLiteError) in
      try check(&writer)
      return writer.writeCount
    }
    let isWhole = try withMaintenanceConnection { side throws(SQLiteError) in
      try checkpoints.withLock { () throws(SQLiteError) in try side.checkpoint() }
    }
    guard isWhole ?? false else { return }
    writer.withLock { writer in
      if writer.writeCount == writeCount { writer.copiedCount = writeCount }
    }
  }

  func close() {
    writer.withLock { writer in
      writer.database = nil
      side.withLock { $0 = nil }
      writer.lock = nil
    }
  }

  // MARK: - Opening

  private func database(
    of writer: inout Writer, patience: Duration = .zero
  ) throws(FileStoreError) -> SessionDatabase {
    if let database = writer.database { return database }
    let lock: StoreLock
    if let held = writer.lock {
      lock = held
    } else {
      lock = try StoreLock(ofFile: path, patience: patience)
      writer.lock = lock
    }
    if let change = StoreFileWatch.change(at: path, from: lock.identity) {
      throw .sqlite(Self.error(change))
    }
    let database = try SessionDatabase(
      path: path, durability: durability, limits: limits, codec: codec, checkpoints: checkpoints,
      mayBeNew: writer.isFirst)
    do throws(SQLiteError) {
      if writer.isFirst { try database.register(served) }
      try side.withLock { side throws(SQLiteError) in
        guard side == nil else { return }
        let connection = try SQLiteDatabase(path: path)
        // A connection opens the log with its first read; if that came later, another file might be at the log's path.
        _ = try connection.number("SELECT count(*) FROM sqlite_master")
        side = connection
      }
    } catch { throw .sqlite(error) }
    database.counts.ends = writer.ends
    writer.watch = StoreFileWatch(
      path: path, identity: lock.identity, connection: database.database)
    writer.isFirst = false
    // A log that was there before may have content that the database has not.
    writer.writeCount += 1
    writer.database = database
    return database
  }

  // MARK: - What others do to the files

  /// Checks that the next process will find what is written.
  ///
  /// - Throws: if it would not.
  private func check(_ writer: inout Writer) throws(SQLiteError) {
    if let loss = writer.loss { throw loss }
    guard let change = change(of: writer) else { return }
    switch change {
    case .databaseGone: throw Self.error(change)
    case .databaseCut: throw lose(&writer, change)
    case .logGone:
      // The log's file has no name any more, but connections that have it open can still read it.
      let isWhole = try side.withLock { side throws(SQLiteError) in
        guard let connection = writer.database?.database ?? side else { return false }
        return try checkpoints.withLock { () throws(SQLiteError) in try connection.checkpoint() }
      }
      guard isWhole else { throw Self.error(change) }
      beginLogAnew(&writer)
    case .logCut, .logOverwritten:
      guard writer.writeCount == writer.copiedCount else { throw lose(&writer, change) }
      beginLogAnew(&writer)
    }
  }

  private func change(of writer: Writer) -> StoreFileWatch.Change? {
    guard let watch = writer.watch else { return nil }
    func change(by connection: SQLiteDatabase) -> StoreFileWatch.Change? {
      watch.change(by: connection, databaseBytes: writer.databaseBytes)
    }
    if let database = writer.database { return change(by: database.database) }
    return side.withLock { side in side.flatMap { change(by: $0) } }
  }

  /// Closes the connections and removes the log; all of its content is in the database.
  private func beginLogAnew(_ writer: inout Writer) {
    closeConnections(of: &writer)
    // Whatever is at the log's path now was put there by someone else: SQLite would copy it into the database.
    // SAFETY: the path is a zero-terminated string for the length of the call.
    _ = unsafe unlink(StoreFile.logPath(of: path))
    report(
      "had its log (-wal) removed or changed while it was open: nothing is lost, as all of it is in the database; a new log is begun"
    )
  }

  /// Gives up the file for good, as some steps that clients were told of are no longer in it.
  private func lose(_ writer: inout Writer, _ change: StoreFileWatch.Change) -> SQLiteError {
    writer.database?.database.keepLog()
    side.withLock { $0?.keepLog() }
    closeConnections(of: &writer)
    if change.isOfLog {
      let log = StoreFile.logPath(of: path)
      // The next process would copy what is left of the log into the database.
      // SAFETY: the paths are zero-terminated strings for the length of the call.
      _ = unsafe rename(log, log + ".damaged")
    }
    let error = Self.error(change)
    writer.loss = error
    return error
  }

  private func closeConnections(of writer: inout Writer) {
    writer.database = nil
    side.withLock { $0 = nil }
    writer.watch = nil
  }

  private static func error(_ change: StoreFileWatch.Change) -> SQLiteError {
    let message =
      switch change {
      case .databaseGone(isReplaced: false):
        "its file was moved or removed: put it back, or restart the server, which begins a new one"
      case .databaseGone(isReplaced: true):
        "another file was put in the place of its own: put that back, or restart the server, which goes on with the other one"
      case .databaseCut(let found, let expected):
        "its file was cut to \(found) of at least \(expected) bytes: stop the server, put a whole copy in its place, and start it"
      case .logGone:
        "its log (-wal) was removed or replaced, and could not be copied into the database yet: don't kill the server"
      case .logCut, .logOverwritten:
        "its log (-wal) was cut or overwritten before all of it was in the database: steps of the last second or so are lost; restart the server to go on with what the database has (the rest of the log is kept as -wal.damaged)"
      }
    // This code does not make `withWriter` close the connection: what is open has content that the files at the path
    // lack.
    return SQLiteError(code: SQLITE_ERROR, message: message)
  }
}
