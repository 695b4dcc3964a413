import CSQLite

/// A connection to an SQLite database. Only one thread at a time uses it, as the lock of its owner ensures; so it may
/// be passed from thread to thread.
@safe final class SQLiteDatabase: @unchecked Sendable {
  // SAFETY: open from `init` to `deinit`, and nobody else has it.
  private let handle: OpaquePointer
  private let path: String

  /// The file system layer of SQLite (VFS) that locks other processes out and keeps the index of the write-ahead log in
  /// memory. So there is no `-shm` file, whose truncation by someone else would end this process. Connections of one
  /// process share the lock and the index.
  private static let fileSystem = "unix-excl"

  /// Opens a file, which must exist.
  init(path: String) throws(SQLiteError) {
    var handle: OpaquePointer?
    // SAFETY: the path is a zero-terminated string, and the handle is written, for the length of the call.
    let code = unsafe sqlite3_open_v2(
      path, &handle, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE, Self.fileSystem)
    guard let handle = unsafe handle else {
      throw SQLiteError(code: code, message: "out of memory")
    }
    unsafe self.handle = handle
    self.path = path
    guard code == SQLITE_OK else {
      // The handle has the message; `deinit` closes it.
      throw error(code)
    }
    // SAFETY: the handle is open.
    unsafe sqlite3_extended_result_codes(handle, 1)
    // Every connection needs this setting, as a checkpoint by any of them cuts the file to whole chunks.
    var byteCount = Int32(DiskReserve.chunkBytes)
    // SAFETY: the call reads one integer.
    unsafe sqlite3_file_control(handle, nil, SQLITE_FCNTL_CHUNK_SIZE, &byteCount)
  }

  // SAFETY: each statement holds its connection, so that no statement is left here.
  deinit { unsafe sqlite3_close_v2(handle) }

  /// The error of a call that has just failed.
  func error(_ code: Int32) -> SQLiteError {
    // SAFETY: the handle is open, and the message is copied before the next call.
    let message = unsafe sqlite3_errmsg(handle).map { unsafe String(cString: $0) }
    // SAFETY: the handle is open.
    let cause = unsafe sqlite3_system_errno(handle)
    return SQLiteError(
      code: code, message: message ?? "error \(code)", cause: cause, path: path)
  }

  /// Executes statements that return nothing.
  func execute(_ text: String) throws(SQLiteError) {
    // SAFETY: the text is a zero-terminated string for the length of the call.
    let code = unsafe sqlite3_exec(handle, text, nil, nil, nil)
    guard code == SQLITE_OK else { throw error(code) }
  }

  func prepare(_ text: String) throws(SQLiteError) -> SQLiteStatement {
    var statement: OpaquePointer?
    // SAFETY: the text is a zero-terminated string, and the statement is written, for the length of the call.
    let code = unsafe sqlite3_prepare_v3(
      handle, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
    guard code == SQLITE_OK, let statement = unsafe statement else { throw error(code) }
    return unsafe SQLiteStatement(statement, of: self)
  }

  /// The first number of the first row that `text` returns; 0 if there is no row.
  func number(_ text: String) throws(SQLiteError) -> Int {
    let statement = try prepare(text)
    return try statement.next() ? statement.integer(0) : 0
  }

  /// The number of rows that the last statement changed.
  // SAFETY: the handle is open.
  var changeCount: Int { Int(unsafe sqlite3_changes(handle)) }

  /// Whether a transaction is open.
  // SAFETY: the handle is open.
  var isInTransaction: Bool { unsafe sqlite3_get_autocommit(handle) == 0 }

  /// The files that a connection has open.
  enum File: Int32 { case database, log }

  /// The size in bytes of a file that this connection has open; nil if it is not known.
  func byteCount(of file: File) -> Int? {
    // SAFETY: the handle is open.
    let size = unsafe csqlite_file_size(handle, file.rawValue)
    return size < 0 ? nil : Int(size)
  }

  /// The first 32 bytes of the write-ahead log, which identify it; nil if there is no log.
  func logHead() -> [UInt8]? {
    var head = [UInt8](repeating: 0, count: 32)
    let code = unsafe head.withUnsafeMutableBytes { bytes in
      // SAFETY: the handle is open, and the call writes at most `count` bytes.
      unsafe csqlite_read_log(handle, bytes.baseAddress, Int32(bytes.count))
    }
    return code == SQLITE_OK ? head : nil
  }

  /// Makes the closing of this connection leave the write-ahead log as it is.
  func keepLog() {
    // SAFETY: the handle is open.
    _ = unsafe csqlite_keep_log(handle)
  }

  /// Makes the database's file at least this long, with its space allocated on the disk.
  func reserve(byteCount: Int) throws(SQLiteError) {
    var size = Int64(byteCount)
    // SAFETY: the call reads one integer.
    let code = unsafe sqlite3_file_control(handle, nil, SQLITE_FCNTL_SIZE_HINT, &size)
    guard code != SQLITE_OK else { return }
    throw .fullDisk(of: path, needed: byteCount)
  }

  /// Makes the write-ahead log's file at least this long, as far as the disk has room.
  func reserveLog(byteCount: Int) {
    // SAFETY: the handle is open.
    _ = unsafe csqlite_reserve_log(handle, Int64(byteCount))
  }

  /// Copies the write-ahead log into the database and syncs that, as far as other connections do not prevent it.
  ///
  /// - Returns: whether the database has the whole log now.
  @discardableResult
  func checkpoint() throws(SQLiteError) -> Bool {
    // A connection that has read nothing yet does not know that there is a log, and would copy nothing.
    _ = try number("SELECT count(*) FROM sqlite_master")
    var (logPages, copiedPages): (Int32, Int32) = (0, 0)
    // SAFETY: the handle is open, and the call writes two integers.
    let code = unsafe sqlite3_wal_checkpoint_v2(
      handle, nil, SQLITE_CHECKPOINT_PASSIVE, &logPages, &copiedPages)
    guard code == SQLITE_OK || code & 0xFF == SQLITE_BUSY else { throw error(code) }
    return code == SQLITE_OK && logPages == copiedPages
  }
}
