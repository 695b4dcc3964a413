import API
import Glibc

/// Why a place can't be read or written.
enum SessionFileProblem: Error, Equatable {
  /// A system call failed.
  case system(_ operation: String, code: Int32)
  /// A folder, a pipe, a socket.
  case notRegular
  /// A device, which is left where it is.
  case device
  /// Something stands there that could not be moved out of the way.
  case blocked
}

extension SessionFileProblem: CustomStringConvertible {
  var description: String {
    switch self {
    case .system(let operation, let code): "\(operation): \(systemMessage(code))"
    case .notRegular: "it is no regular file"
    case .device: "it is a device"
    case .blocked: "what stands there is no session file, and could not be moved out of the way"
    }
  }
}

/// A file of sessions that is open; closed when it goes.
final class SessionFileHandle: Sendable {
  let byteCount: Int
  /// Whether its head can be written again.
  let isWritable: Bool
  private let descriptor: Int32

  private init(descriptor: Int32, byteCount: Int, isWritable: Bool) {
    self.descriptor = descriptor
    self.byteCount = byteCount
    self.isWritable = isWritable
  }

  deinit { close(descriptor) }

  /// Opens what stands at `path`; nil where nothing does. Waits for nobody: neither for the writer of a pipe, nor for a
  /// device.
  convenience init?(path: String) throws(SessionFileProblem) {
    var status = stat()
    // SAFETY: the path is a zero-terminated string for the length of the call, which writes one `stat`.
    if unsafe lstat(path, &status) == 0,
      [S_IFCHR, S_IFBLK].contains(status.st_mode & S_IFMT)
    {
      throw .device
    }
    let flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY
    // SAFETY: the path is a zero-terminated string for the length of the call, here and below.
    var descriptor = unsafe open(path, O_RDWR | flags)
    var isWritable = true
    if descriptor < 0, [EACCES, EPERM, EROFS, EISDIR, ENXIO].contains(errno) {
      isWritable = false
      descriptor = unsafe open(path, O_RDONLY | flags)
    }
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw .system("open", code: errno)
    }
    // SAFETY: the call writes one `stat`.
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .notRegular
    }
    self.init(
      descriptor: descriptor, byteCount: Int(status.st_size), isWritable: isWritable)
  }

  /// Where a symbolic link leads, if to a file or to where there is none yet; else `path` itself.
  static func resolved(_ path: String) -> String {
    var found = path
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    // As many links as Linux follows.
    for _ in 0..<40 {
      // SAFETY: the path is a zero-terminated string; at most `$0.count` bytes of the buffer are written.
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe readlink(found, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
      }
      if count < 0 {
        var status = stat()
        // SAFETY: the path is a zero-terminated string for the length of the call, which writes one `stat`.
        let exists = unsafe lstat(found, &status) == 0
        return exists && status.st_mode & S_IFMT != S_IFREG ? path : found
      }
      let target = String(decoding: buffer[..<count], as: UTF8.self)
      found = target.hasPrefix("/") ? target : folder(of: found) + "/" + target
    }
    return path
  }

  static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The next bytes: so many, or fewer at the end of the file.
  func read(_ count: Int) throws(SessionFileFlaw) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      // SAFETY: the call writes at most the `count - filled` bytes that follow `filled` in `bytes`.
      let read = unsafe bytes.withUnsafeMutableBytes {
        unsafe Glibc.read(descriptor, $0.baseAddress! + filled, count - filled)
      }
      if read < 0, errno == EINTR { continue }
      guard read >= 0 else { throw .unreadable(code: errno) }
      if read == 0 { break }
      filled += read
    }
    bytes.removeLast(count - filled)
    return bytes
  }

  /// Adds `bytes`.
  func write(_ bytes: [UInt8]) throws(SessionFileProblem) {
    var written = 0
    while written < bytes.count {
      // SAFETY: the call reads the `bytes.count - written` bytes that follow `written` in `bytes`.
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress! + written, bytes.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system("write", code: errno) }
      written += count
    }
  }

  /// Writes `bytes` over the beginning of the file, to the disk.
  func overwrite(with bytes: [UInt8]) throws(SessionFileProblem) {
    // SAFETY: the call reads `bytes.count` bytes from the start of `bytes`. Far fewer than a block of a disk, they are
    // written whole or not at all.
    let count = unsafe bytes.withUnsafeBytes {
      unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0)
    }
    guard count == bytes.count else { throw .system("write", code: count < 0 ? errno : EIO) }
    try sync()
  }

  private func sync() throws(SessionFileProblem) {
    while fsync(descriptor) != 0 {
      guard errno == EINTR else { throw .system("write to the disk", code: errno) }
    }
  }

  /// Writes a file beside `path` and renames it there once it is on the disk, so that nobody ever sees half of it.
  ///
  /// - Parameter body: writes what follows the head, and returns that.
  static func replace(
    _ path: String, _ body: (SessionFileHandle) throws(SessionFileProblem) -> SessionFileHead
  ) throws(SessionFileProblem) {
    // Of one that was interrupted, with the folder's lock nobody else's.
    let partial = "\(path).partial"
    // SAFETY: the paths are zero-terminated strings for the length of each call, here and below.
    unsafe unlink(partial)
    let descriptor = unsafe open(partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .system("create", code: errno) }
    let file = SessionFileHandle(descriptor: descriptor, byteCount: 0, isWritable: true)
    do throws(SessionFileProblem) {
      try file.write([UInt8](repeating: 0, count: SessionFileHead.byteCount))
      try file.overwrite(with: try body(file).bytes)
      guard unsafe rename(partial, path) == 0 else { throw .system("rename", code: errno) }
      // The name, too, is on the disk only when the folder is.
      let folder = unsafe open(folder(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      if folder >= 0 {
        _ = fsync(folder)
        close(folder)
      }
    } catch {
      unsafe unlink(partial)
      throw error
    }
  }
}
