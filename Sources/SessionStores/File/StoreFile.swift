import Glibc

/// A database's file, before it is opened and beside SQLite.
enum StoreFile {
  /// What tells a file from all others, whatever its name.
  struct Identity: Equatable {
    private let device: UInt64
    private let number: UInt64

    fileprivate init(_ status: stat) {
      device = UInt64(status.st_dev)
      number = UInt64(status.st_ino)
    }

    /// The file at `path`; nil where there is none.
    init?(at path: String) {
      var status = stat()
      // SAFETY: the path is a zero-terminated string, and the call writes one `stat`.
      guard unsafe stat(path, &status) == 0 else { return nil }
      self.init(status)
    }

    /// An open file.
    init?(of descriptor: Int32) {
      var status = stat()
      // SAFETY: the call writes one `stat`.
      guard unsafe fstat(descriptor, &status) == 0 else { return nil }
      self.init(status)
    }
  }

  static func logPath(of path: String) -> String { path + "-wal" }

  /// What the database at `path` takes on the disk, with its log.
  static func byteCount(of path: String) -> Int {
    [path, logPath(of: path)].reduce(0) { sum, path in
      var status = stat()
      // SAFETY: the path is a zero-terminated string, and the call writes one `stat`.
      return unsafe stat(path, &status) == 0 ? sum + Int(status.st_size) : sum
    }
  }

  /// The bytes that the disk of the file at `path` has left for who may not use the last; nil where that is not known.
  static func freeBytes(besides path: String) -> Int? {
    var status = statvfs()
    // SAFETY: the path is a zero-terminated string, and the call writes one `statvfs`.
    guard unsafe statvfs(path, &status) == 0 else { return nil }
    return Int(status.f_bavail) * Int(status.f_frsize)
  }
}
