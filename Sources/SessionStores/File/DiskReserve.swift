/// Makes sure that a full disk can't stop the store for good: before a transaction is committed, the database's file
/// has space for all pages that the write-ahead log holds.
///
/// SQLite starts the log over only once its whole content is in the database. If the log filled the disk before the
/// database's file had space for it, the store would keep failing even after other files made room, as the log would
/// take that room too.
final class DiskReserve {
  /// The unit in which the database's file grows, and the size to which the log is cut after the disk was full.
  static let chunkBytes = 1 << 20

  private let database: SQLiteDatabase
  private let lock: CheckpointLock
  private let countPages: SQLiteStatement
  private let pageBytes: Int
  /// The chunks that all committed pages need; the database's file has at least these. 0 until this process has
  /// reserved them.
  private var chunkCount = 0

  /// The least size of the database's file in bytes; 0 until this process has committed something.
  var committedBytes: Int { chunkCount * Self.chunkBytes }

  init(_ database: SQLiteDatabase, _ lock: CheckpointLock) throws(SQLiteError) {
    self.database = database
    self.lock = lock
    countPages = try database.prepare("PRAGMA page_count")
    pageBytes = try database.number("PRAGMA page_size")
    // Reserves a chunk for the log, so that other files that fill the disk leave this much to it.
    database.reserveLog(byteCount: Self.chunkBytes)
  }

  /// Commits a transaction with `statement`, after reserving space in the database's file for all its pages.
  ///
  /// - Throws: `SQLITE_FULL` if the disk has no room for them; nothing is committed then.
  func commit(by statement: SQLiteStatement) throws(SQLiteError) {
    let pageCount = try countPages.next() ? countPages.integer(0) : 0
    countPages.reset()
    let needed = (pageCount * pageBytes + Self.chunkBytes - 1) / Self.chunkBytes
    guard needed > chunkCount else {
      _ = try statement.run()
      return
    }
    // A checkpoint cuts the file to the committed chunks, so none may end between the reservation and the commit.
    try lock.withLock { () throws(SQLiteError) in
      try database.reserve(byteCount: needed * Self.chunkBytes)
      _ = try statement.run()
    }
    chunkCount = needed
  }

  /// To be called after SQLITE_FULL: copies the log into the database, and gives back the space that the log takes
  /// beyond a chunk.
  func recover() throws(SQLiteError) {
    try lock.withLock { () throws(SQLiteError) in _ = try database.checkpoint() }
    try database.execute("PRAGMA journal_size_limit = \(Self.chunkBytes)")
    // The limit takes effect with the first commit after the log starts over; this statement makes one, as it changes a
    // page.
    try database.execute("PRAGMA user_version = \(StoreLayout.number)")
  }
}
