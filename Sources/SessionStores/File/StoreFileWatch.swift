/// Detects that someone has replaced, removed, cut or overwritten the files of an open database. Sessions that are only
/// in a removed file, and whose steps were answered, would be lost as soon as this process ends.
struct StoreFileWatch {
  enum Change: Equatable {
    /// There is no file at the database's path, or another one.
    case databaseGone(isReplaced: Bool)
    case databaseCut(found: Int, expected: Int)
    /// There is no file at the log's path, or another one; the open connections still have the whole log.
    case logGone
    /// The log is shorter than it was after the last write.
    case logCut
    /// Other content was written over the log's beginning.
    case logOverwritten

    var isOfLog: Bool {
      switch self {
      case .databaseGone, .databaseCut: false
      case .logGone, .logCut, .logOverwritten: true
      }
    }
  }

  private let path: String
  private let database: StoreFile.Identity?
  private let log: StoreFile.Identity?
  private var logBytes = 0
  private var logHead: [UInt8]?

  /// - Parameters:
  ///   - identity: the identity of the file that the process has locked.
  ///   - connection: a connection that has just been opened.
  init(path: String, identity: StoreFile.Identity?, connection: SQLiteDatabase) {
    self.path = path
    database = identity
    log = StoreFile.Identity(at: StoreFile.logPath(of: path))
    noteWrite(by: connection)
  }

  /// Records the log's size and beginning, after the connection may have written to it.
  mutating func noteWrite(by connection: SQLiteDatabase) {
    logBytes = connection.byteCount(of: .log) ?? 0
    logHead = connection.logHead()
  }

  /// What has happened to the files, the worst first; nil if nothing has.
  ///
  /// - Parameter databaseBytes: the least size that the database's file had after the last commit.
  func change(by connection: SQLiteDatabase, databaseBytes: Int) -> Change? {
    if let found = connection.byteCount(of: .database), found < databaseBytes {
      return .databaseCut(found: found, expected: databaseBytes)
    }
    if connection.byteCount(of: .log) ?? 0 < logBytes { return .logCut }
    if connection.logHead() != logHead { return .logOverwritten }
    if let change = Self.change(at: path, from: database) { return change }
    return StoreFile.Identity(at: StoreFile.logPath(of: path)) == log ? nil : .logGone
  }

  /// `databaseGone` if the file at `path` is not the one that the process has locked; else nil.
  static func change(at path: String, from identity: StoreFile.Identity?) -> Change? {
    let found = StoreFile.Identity(at: path)
    return found == identity ? nil : .databaseGone(isReplaced: found != nil)
  }
}
