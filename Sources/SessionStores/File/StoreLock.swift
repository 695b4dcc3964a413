import Glibc

/// Keeps other processes from a file of sessions as long as this object exists: of two processes that wrote to one
/// file, each would know only half of the sessions.
///
/// Two files are locked: one beside the file (`.lock`), which protects the path, and the file itself, which may have
/// other names (links, mounts). Closing any descriptor of the database's file drops SQLite's own locks, so this object
/// must outlive the database.
final class StoreLock: Sendable {
  private let descriptors: [Int32]
  /// The identity of the locked file, wherever that is now.
  var identity: StoreFile.Identity? { descriptors.last.flatMap { StoreFile.Identity(of: $0) } }

  /// Locks the file, and creates an empty one if there is none.
  ///
  /// Only the owner can read the file, since states are their owners' data. The log gets the same mode.
  ///
  /// - Parameter patience: how long to wait for a process that has the lock and is about to end.
  init(ofFile path: String, patience: Duration) throws(FileStoreError) {
    let end = ContinuousClock.now + patience
    var status = stat()
    // SAFETY: the path is a zero-terminated string, and the call writes one `stat`.
    if unsafe stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG { throw .noFile }
    var descriptors: [Int32] = []
    for name in ["\(path).lock", path] {
      // SAFETY: the path is a zero-terminated string for the length of the call.
      let descriptor = unsafe open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      var code = descriptor < 0 ? errno : nil
      if descriptor >= 0 {
        descriptors.append(descriptor)
        code = lockFile(descriptor, until: end)
      }
      if let code {
        for descriptor in descriptors { close(descriptor) }
        throw code == EWOULDBLOCK || code == EINTR ? .taken : .system(code: code)
      }
    }
    self.descriptors = descriptors
  }

  deinit { for descriptor in descriptors { close(descriptor) } }
}

/// Waits for the lock of an open file or folder (flock(2)). Returns nil once it has the lock; on failure the error
/// code, which is EWOULDBLOCK if another process still has it at `end`. Polls, so that the wait is bounded.
package func lockFile(_ descriptor: Int32, until end: ContinuousClock.Instant) -> Int32? {
  while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
    let code = errno
    guard code == EWOULDBLOCK || code == EINTR, ContinuousClock.now < end else { return code }
    usleep(5000)
  }
  return nil
}
