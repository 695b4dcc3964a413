import Glibc

/// A database's file, before it is opened and beside SQLite.
enum StoreFile {
  /// What the database at `path` takes on the disk, with its log.
  static func byteCount(of path: String) -> Int {
    ["", "-wal", "-shm"].reduce(0) { sum, suffix in
      var status = stat()
      // SAFETY: the path is a zero-terminated string, and the call writes one `stat`.
      return unsafe stat(path + suffix, &status) == 0 ? sum + Int(status.st_size) : sum
    }
  }
}
