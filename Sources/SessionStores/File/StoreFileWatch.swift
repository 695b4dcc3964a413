/// Tells whether the files of an open database are still those at its path, and have what was written to them: whoever removes
/// or cuts one of them under a process would take sessions with it that were answered, as soon as that process ends.
struct StoreFileWatch {
  enum Change: Equatable {
    /// The database's path has no file, or another one.
    case databaseGone(isReplaced: Bool)
    case databaseCut(found: Int, expected: Int)
    /// The log's path has no file, or another one; the connections still have the whole log.
    case logGone
    /// The log has lost content, or other content was written over it.
    case logCut
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
  ///   - identity: of the file that the process has locked.
  ///   - connection: which has just been opened.
  init(path: String, identity: StoreFile.Identity?, connection: SQLiteDatabase) {
    self.path = path
    database = identity
    log = StoreFile.Identity(at: StoreFile.logPath(of: path))
    noteWrite(by: connection)
  }

  /// Notes what the log is after the connection may have written.
  mutating func noteWrite(by connection: SQLiteDatabase) {
    logBytes = connection.byteCount(of: .log) ?? 0
    logHead = connection.logHead()
  }

  /// What has happened to the files, the worst first; nil where all is well.
  ///
  /// - Parameter databaseBytes: those that the database had with the last commit.
  func change(by connection: SQLiteDatabase, databaseBytes: Int) -> Change? {
    if let found = connection.byteCount(of: .database), found < databaseBytes {
      return .databaseCut(found: found, expected: databaseBytes)
    }
    if connection.byteCount(of: .log) ?? 0 < logBytes { return .logCut }
    if connection.logHead() != logHead { return .logOverwritten }
    if let change = Self.change(at: path, from: database) { return change }
    return StoreFile.Identity(at: StoreFile.logPath(of: path)) == log ? nil : .logGone
  }

  /// Whether `path` still has the file that the process has locked.
  static func change(at path: String, from identity: StoreFile.Identity?) -> Change? {
    let found = StoreFile.Identity(at: path)
    return found == identity ? nil : .databaseGone(isReplaced: found != nil)
  }
}
