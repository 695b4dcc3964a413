import Glibc

/// Keeps other processes from a file of sessions, as long as it lives: two that write one would each know half.
///
/// A file of its own beside it (`.lock`), as closing any descriptor of the database would drop SQLite's own locks.
final class StoreLock: Sendable {
  private let descriptor: Int32

  /// - Parameter patience: how long to wait for a process that is about to end.
  init(ofFile path: String, patience: Duration) throws(FileStoreError) {
    let end = ContinuousClock.now + patience
    // SAFETY: the path is a zero-terminated string for the length of the call.
    descriptor = unsafe open("\(path).lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .system(code: errno) }
    guard let code = lockFile(descriptor, until: end) else { return }
    throw code == EWOULDBLOCK || code == EINTR ? .taken : .system(code: code)
  }

  deinit { if descriptor >= 0 { close(descriptor) } }
}

/// Waits for the lock of an open file or folder (flock(2)); returns the error code on failure, EWOULDBLOCK where another process
/// has it until `end`. The wait polls, so that it is bounded.
package func lockFile(_ descriptor: Int32, until end: ContinuousClock.Instant) -> Int32? {
  while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
    let code = errno
    guard code == EWOULDBLOCK || code == EINTR, ContinuousClock.now < end else { return code }
    usleep(5000)
  }
  return nil
}
