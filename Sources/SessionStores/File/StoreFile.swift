import Glibc

/// Looks at the files of a database without SQLite, even before they are opened.
enum StoreFile {
  /// Tells a file from all others, whatever its name: its device and inode.
  struct Identity: Equatable {
    private let device: UInt64
    private let number: UInt64

    fileprivate init(_ status: stat) {
      device = UInt64(status.st_dev)
      number = UInt64(status.st_ino)
    }

    /// The identity of the file at `path`; nil if there is none.
    init?(at path: String) {
      var status = stat()
      // SAFETY: the path is a zero-terminated string, and the call writes one `stat`.
      guard unsafe stat(path, &status) == 0 else { return nil }
      self.init(status)
    }

    /// The identity of an open file; nil if it can't be found out.
    init?(of descriptor: Int32) {
      var status = stat()
      // SAFETY: the call writes one `stat`.
      guard unsafe fstat(descriptor, &status) == 0 else { return nil }
      self.init(status)
    }
  }

  static func logPath(of path: String) -> String { path + "-wal" }

  /// The bytes that the database at `path` and its log take on the disk.
  static func byteCount(of path: String) -> Int {
    [path, logPath(of: path)].reduce(0) { sum, path in
      var status = stat()
      // SAFETY: the path is a zero-terminated string, and the call writes one `stat`.
      return unsafe stat(path, &status) == 0 ? sum + Int(status.st_size) : sum
    }
  }

  /// The bytes that a process without privileges may still write to the disk of the file at `path`; nil if that is not
  /// known.
  static func freeBytes(besides path: String) -> Int? {
    var status = statvfs()
    // SAFETY: the path is a zero-terminated string, and the call writes one `statvfs`.
    guard unsafe statvfs(path, &status) == 0 else { return nil }
    return Int(status.f_bavail) * Int(status.f_frsize)
  }
}
