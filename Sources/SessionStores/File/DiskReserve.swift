/// Sees to it that a full disk does not stop the store for ever: all that the write-ahead log holds has its place in the
/// database's file before it is committed.
///
/// A log whose content does not fit into the database can't be begun anew. If the log filled the disk first, the store would
/// fail even after other files made room, as long as the log takes that room, too.
final class DiskReserve {
  /// By how much the database's file grows, and with how little the log goes on once a disk was full.
  static let chunkBytes = 1 << 20

  private let database: SQLiteDatabase
  private let lock: CheckpointLock
  private let countPages: SQLiteStatement
  private let pageBytes: Int
  /// The chunks that all committed pages take; the database's file has them. 0 where that has yet to be made sure.
  private var chunkCount = 0

  /// The bytes that the database's file has at least, once something was committed here.
  var committedBytes: Int { chunkCount * Self.chunkBytes }

  init(_ database: SQLiteDatabase, _ lock: CheckpointLock) throws(SQLiteError) {
    self.database = database
    self.lock = lock
    countPages = try database.prepare("PRAGMA page_count")
    pageBytes = try database.number("PRAGMA page_size")
    // So that a disk which others fill leaves the log so much.
    database.reserveLog(byteCount: Self.chunkBytes)
  }

  /// Commits a transaction by `statement`, once the database's file has a place for all its pages.
  ///
  /// - Throws: `SQLITE_FULL` where the disk has no room for them; nothing is committed then.
  func commit(by statement: SQLiteStatement) throws(SQLiteError) {
    let pageCount = try countPages.next() ? countPages.integer(0) : 0
    countPages.reset()
    let needed = (pageCount * pageBytes + Self.chunkBytes - 1) / Self.chunkBytes
    guard needed > chunkCount else {
      _ = try statement.run()
      return
    }
    // A checkpoint cuts the file to the chunks that are committed, so none may end in between.
    try lock.withLock { () throws(SQLiteError) in
      try database.reserve(byteCount: needed * Self.chunkBytes)
      _ = try statement.run()
    }
    chunkCount = needed
  }

  /// After SQLITE_FULL: empties the log into the database, and gives back what the log takes beyond a chunk.
  func recover() throws(SQLiteError) {
    try lock.withLock { () throws(SQLiteError) in _ = try database.checkpoint() }
    try database.execute("PRAGMA journal_size_limit = \(Self.chunkBytes)")
    // The limit takes effect with the first commit to a log that begins anew: this one needs a page.
    try database.execute("PRAGMA user_version = \(StoreLayout.number)")
  }
}
