import Glibc

/// A database's file, before it is opened and beside SQLite.
enum StoreFile {
  /// Makes an empty file where there is none.
  ///
  /// States are their owners' data: nobody else on the machine reads them. The log gets the same mode.
  static func make(at path: String) throws(FileStoreError) {
    // SAFETY: the path is a zero-terminated string for the length of the call.
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .system(code: errno) }
    close(descriptor)
  }

  /// What the database at `path` takes on the disk, with its log.
  static func byteCount(of path: String) -> Int {
    ["", "-wal", "-shm"].reduce(0) { sum, suffix in
      var status = stat()
      // SAFETY: the path is a zero-terminated string, and the call writes one `stat`.
      return unsafe stat(path + suffix, &status) == 0 ? sum + Int(status.st_size) : sum
    }
  }
}
