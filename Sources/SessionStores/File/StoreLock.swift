import Glibc

/// Keeps other processes from a file of sessions, as long as it lives: two that write one would each know half.
///
/// A file of its own beside it (`.lock`), as closing any descriptor of the database would drop SQLite's own locks.
final class StoreLock: Sendable {
  private let descriptor: Int32

  private static let pauseMicroseconds: UInt32 = 10_000

  /// - Parameter patience: how long to wait for a process that is about to end.
  init(ofFile path: String, patience: Duration) throws(FileStoreError) {
    let end = ContinuousClock.now + patience
    // SAFETY: the path is a zero-terminated string for the length of the call.
    descriptor = unsafe open("\(path).lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .system(code: errno) }
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let code = errno
      guard code == EWOULDBLOCK || code == EINTR else { throw .system(code: code) }
      guard ContinuousClock.now < end else { throw .taken }
      usleep(Self.pauseMicroseconds)
    }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }
}
