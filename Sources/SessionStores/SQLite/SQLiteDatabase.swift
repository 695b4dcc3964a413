import CSQLite

/// Why SQLite does not do what it is asked: its extended result code, and the message that it has for it.
package struct SQLiteError: Error, Equatable, Sendable, CustomStringConvertible {
  package let code: Int32
  package let message: String

  package var description: String { message }

  /// A session whose state is encrypted with a key that is not given.
  static func noKey(_ name: String, id: String) -> SQLiteError {
    SQLiteError(
      code: SQLITE_AUTH,
      message: StateSealingError.explanation(ofMissingKey: name, id: id)
    )
  }

  /// Whether it is about one session, and says nothing about the others.
  var isOfOneSession: Bool { code & 0xFF == SQLITE_AUTH }

  /// Whether there is no room on the disk.
  var isOfFullDisk: Bool { code & 0xFF == SQLITE_FULL }

  /// Whether the connection is of no use any more, and a new one may be.
  var isOfConnection: Bool {
    switch code & 0xFF {
    case SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_CANTOPEN, SQLITE_READONLY: true
    default: false
    }
  }
}

/// A connection to a database of SQLite, for one thread at a time.
@safe final class SQLiteDatabase {
  // SAFETY: open from `init` to `deinit`, and nobody else has it.
  private let handle: OpaquePointer

  /// Opens a file that is there.
  init(path: String) throws(SQLiteError) {
    var handle: OpaquePointer?
    // SAFETY: the path is a zero-terminated string, and the handle is written, for the length of the call.
    let code = unsafe sqlite3_open_v2(
      path, &handle, SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE, nil)
    guard let handle = unsafe handle else {
      throw SQLiteError(code: code, message: "out of memory")
    }
    unsafe self.handle = handle
    guard code == SQLITE_OK else {
      // The handle has the message; `deinit` closes it.
      throw error(code)
    }
    // SAFETY: the handle is open.
    unsafe sqlite3_extended_result_codes(handle, 1)
    // Each connection has to know: a checkpoint cuts the file to whole chunks.
    var byteCount = Int32(DiskReserve.chunkBytes)
    // SAFETY: the call reads one integer.
    unsafe sqlite3_file_control(handle, nil, SQLITE_FCNTL_CHUNK_SIZE, &byteCount)
  }

  // SAFETY: statements keep their connection, so that none is left.
  deinit { unsafe sqlite3_close_v2(handle) }

  /// The error of a call that has just failed.
  func error(_ code: Int32) -> SQLiteError {
    // SAFETY: the handle is open, and the message is copied before the next call.
    let message = unsafe sqlite3_errmsg(handle).map { unsafe String(cString: $0) }
    return SQLiteError(code: code, message: message ?? "error \(code)")
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

  /// The first number of the first row that `text` returns; 0 where there is none.
  func number(_ text: String) throws(SQLiteError) -> Int {
    let statement = try prepare(text)
    return try statement.next() ? statement.integer(0) : 0
  }

  /// The rows that the last statement changed.
  // SAFETY: the handle is open.
  var changeCount: Int { Int(unsafe sqlite3_changes(handle)) }

  /// Whether a transaction is under way.
  // SAFETY: the handle is open.
  var isInTransaction: Bool { unsafe sqlite3_get_autocommit(handle) == 0 }

  /// Whether the file is no more where it was opened.
  var hasMoved: Bool {
    var moved: Int32 = 0
    // SAFETY: the call writes one integer.
    let code = unsafe sqlite3_file_control(handle, nil, SQLITE_FCNTL_HAS_MOVED, &moved)
    return code == SQLITE_OK && moved != 0
  }

  /// Makes the file at least that long, with its room taken on the disk.
  func reserve(byteCount: Int) throws(SQLiteError) {
    var size = Int64(byteCount)
    // SAFETY: the call reads one integer.
    let code = unsafe sqlite3_file_control(handle, nil, SQLITE_FCNTL_SIZE_HINT, &size)
    guard code != SQLITE_OK else { return }
    throw SQLiteError(
      code: SQLITE_FULL, message: "the disk has no room for a database of \(byteCount) bytes")
  }

  /// Makes the write-ahead log's file at least that long, as far as the disk has room.
  func reserveLog(byteCount: Int) {
    // SAFETY: the handle is open.
    _ = unsafe csqlite_reserve_log(handle, Int64(byteCount))
  }

  /// Copies what the write-ahead log has into the database, on the disk, as far as nobody is in the way.
  func checkpoint() throws(SQLiteError) {
    // A connection that has read nothing yet does not know that there is a log, and would copy nothing.
    _ = try number("SELECT count(*) FROM sqlite_master")
    // SAFETY: the handle is open; no count is asked for.
    let code = unsafe sqlite3_wal_checkpoint_v2(
      handle, nil, SQLITE_CHECKPOINT_PASSIVE, nil, nil)
    guard code == SQLITE_OK || code & 0xFF == SQLITE_BUSY else { throw error(code) }
  }
}
