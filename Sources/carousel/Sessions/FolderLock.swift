import Glibc
import Logging
import SessionStores

/// A lock on a folder: as long as it lives, no other process reads or writes session files there.
///
/// The wait for a lock is bounded, so that a suspended process with the lock can't block another's start or end. Only
/// processes that start and end at the same moment need the lock.
final class FolderLock: Sendable {
  private let descriptor: Int32
  private let device: dev_t
  private let inode: ino_t

  /// Locks the folder of each of `paths`, once.
  ///
  /// - Parameter patience: how long to wait for other processes.
  static func all(ofFiles paths: [String], patience: Duration, _ logger: Logger) -> [FolderLock] {
    let end = ContinuousClock.now + patience
    var locks: [FolderLock] = []
    for folder in paths.map(SessionFileHandle.folder) {
      guard let lock = FolderLock(folder),
        !locks.contains(where: { $0.device == lock.device && $0.inode == lock.inode })
      else { continue }
      if let code = lockFile(lock.descriptor, until: end) {
        logger.warning(
          "the folder of the session file can't be locked",
          metadata: ["folder": .string(folder), "error": .string(systemMessage(code))])
      }
      locks.append(lock)
    }
    return locks
  }

  /// Nil if the folder can't be opened.
  private init?(_ folder: String) {
    // SAFETY: the path is a zero-terminated string for the length of the call.
    let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    var status = stat()
    // SAFETY: the call writes one `stat`.
    _ = unsafe fstat(descriptor, &status)
    (self.descriptor, device, inode) = (descriptor, status.st_dev, status.st_ino)
  }

  deinit { close(descriptor) }
}
