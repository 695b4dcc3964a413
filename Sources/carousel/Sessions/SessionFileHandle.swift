import API
import Glibc
import JSON
import ModelFormat
import Serving

/// Why a path can't be read or written as a session file.
enum SessionFileProblem: Error, Equatable {
  /// A system call failed.
  case system(_ operation: String, code: Int32)
  /// Not a regular file; the kind of file in words.
  case notRegular(String)
  /// Not a session file; its first bytes.
  case foreign([UInt8])
  /// A damaged session file is there, and could not be renamed.
  case blocked
}

extension SessionFileProblem {
  /// Whether the path has something other than a session file.
  var isOtherThing: Bool {
    switch self {
    case .notRegular, .foreign, .system("open", code: ELOOP): true
    case .system, .blocked: false
    }
  }
}

extension SessionFileProblem: CustomStringConvertible {
  var description: String {
    switch self {
    case .system(let operation, let code): "\(operation): \(systemMessage(code))"
    case .notRegular(let kind): "found \(kind), expected a file of sessions or none yet"
    case .foreign(let start):
      "found a file that begins with \(Self.quoted(start)), expected a file of sessions or none yet"
    case .blocked: "a damaged session file stands there that could not be moved out of the way"
    }
  }

  /// Bytes as text if they are printable, else as numbers.
  private static func quoted(_ bytes: [UInt8]) -> String {
    if let text = String(validating: bytes, as: UTF8.self) { return "\"\(text.printable)\"" }
    return "the bytes " + bytes.hexadecimal(separator: " ")
  }
}

/// An open session file; `deinit` closes it.
final class SessionFileHandle: Sendable {
  let byteCount: Int
  /// Whether the head can be overwritten.
  let isWritable: Bool
  private let descriptor: Int32

  private init(descriptor: Int32, byteCount: Int, isWritable: Bool) {
    self.descriptor = descriptor
    self.byteCount = byteCount
    self.isWritable = isWritable
  }

  deinit { close(descriptor) }

  /// Opens the regular file at `path`; nil if nothing is there. Other kinds of file are not opened: opening a pipe would wake
  /// the process at its other end, and opening a device may block.
  private convenience init?(path: String) throws(SessionFileProblem) {
    var status = stat()
    // SAFETY: the path is a zero-terminated string for the length of the call, which writes one `stat`.
    guard unsafe stat(path, &status) == 0 else {
      if errno == ENOENT { return nil }
      throw .system("open", code: errno)
    }
    if let kind = fileKind(status) { throw .notRegular(kind) }
    let flags = O_CLOEXEC | O_NONBLOCK | O_NOCTTY
    // SAFETY: the path is a zero-terminated string for the length of the call, here and below.
    var descriptor = unsafe open(path, O_RDWR | flags)
    var isWritable = true
    if descriptor < 0, [EACCES, EPERM, EROFS].contains(errno) {
      isWritable = false
      descriptor = unsafe open(path, O_RDONLY | flags)
    }
    guard descriptor >= 0 else {
      if errno == ENOENT { return nil }
      throw .system("open", code: errno)
    }
    // The path may have another file by now.
    // SAFETY: the call writes one `stat`.
    guard unsafe fstat(descriptor, &status) == 0, fileKind(status) == nil else {
      close(descriptor)
      throw .notRegular("something else than a moment ago")
    }
    self.init(
      descriptor: descriptor, byteCount: Int(status.st_size), isWritable: isWritable)
  }

  /// Whether `path` itself is a device: then no file is wanted beside it.
  static func isDevice(_ path: String) -> Bool {
    var status = stat()
    // SAFETY: the path is a zero-terminated string for the length of the call, which writes one `stat`.
    return unsafe lstat(path, &status) == 0
      && [S_IFCHR, S_IFBLK].contains(status.st_mode & S_IFMT)
  }

  /// An open session file, and its head or what is wrong with the head.
  typealias Found = (file: SessionFileHandle, head: Result<SessionFileHead, SessionFileFlaw>)

  /// The session file at `path`, damaged or not; nil if nothing is there.
  ///
  /// - Throws: if something else is there, or if this can't be found out. The path must then not be renamed or overwritten.
  static func find(at path: String) throws(SessionFileProblem) -> Found? {
    guard let file = try SessionFileHandle(path: path) else { return nil }
    let start = try file.readStart(SessionFileHead.byteCount)
    let head = Result { () throws(SessionFileFlaw) in try SessionFileHead(bytes: start) }
    if head == .failure(.magic), !SessionFileHead.isDamagedStart(start) {
      // After a crash, a file whose bytes did not reach the disk is all zeros.
      let more = try file.readStart(zerosLookedAt)
      guard (start + more).allSatisfy({ $0 == 0 }) else { throw .foreign(Array(start.prefix(16))) }
    }
    return (file, head)
  }

  /// A file that begins with so many zeros, or has only zeros, counts as empty.
  private static let zerosLookedAt = 1 << 20

  /// Throws unless a file can be made at `path`, where nothing is.
  static func checkFolder(of path: String) throws(SessionFileProblem) {
    let folder = folder(of: path)
    // SAFETY: the path is a zero-terminated string for the length of the call.
    guard unsafe access(folder, W_OK | X_OK) == 0 else {
      throw .system("no file can be made in \(folder)", code: errno)
    }
  }

  /// The target of the symbolic link at `path`, if that is a file or does not exist yet; else `path`.
  static func resolved(_ path: String) -> String {
    var found = path
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    // Linux follows at most 40 links.
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

  private func readStart(_ count: Int) throws(SessionFileProblem) -> [UInt8] {
    do { return try read(count) } catch {
      guard case .unreadable(let code) = error else { preconditionFailure("\(error)") }
      throw .system("read", code: code)
    }
  }

  /// Reads the next `count` bytes, or fewer at the end of the file.
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

  /// Has the next `read` begin behind the head again.
  func rewind() throws(SessionFileFlaw) {
    guard lseek(descriptor, off_t(SessionFileHead.byteCount), SEEK_SET) >= 0 else {
      throw .unreadable(code: errno)
    }
  }

  /// Appends `bytes`.
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

  /// Overwrites the beginning of the file with `bytes`, and syncs them to the disk.
  func overwrite(with bytes: [UInt8]) throws(SessionFileProblem) {
    // SAFETY: the call reads `bytes.count` bytes from the start of `bytes`. As these are far less than a block of a disk,
    // they are written whole or not at all.
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

  /// The name of the file for `path` while it is being written.
  static func partial(of path: String) -> String { "\(path).partial" }

  /// Writes a file beside `path` and renames it to `path` once it is on the disk, so that nobody sees half a file. Replaces a
  /// session file, but nothing else.
  ///
  /// - Parameter body: writes the blocks behind the head, and returns the head.
  static func replace(
    _ path: String, _ body: (SessionFileHandle) throws(SessionFileProblem) -> SessionFileHead
  ) throws(SessionFileProblem) {
    let partial = partial(of: path)
    _ = try find(at: path)
    // An interrupted write leaves a partial file. We have the folder's lock, so no other process is writing it.
    _ = try find(at: partial)
    // SAFETY: the paths are zero-terminated strings for the length of each call, here and below.
    unsafe unlink(partial)
    let descriptor = unsafe open(partial, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .system("create", code: errno) }
    let file = SessionFileHandle(descriptor: descriptor, byteCount: 0, isWritable: true)
    do throws(SessionFileProblem) {
      try file.write(SessionFileHead.placeholder)
      try file.overwrite(with: try body(file).bytes)
      guard unsafe rename(partial, path) == 0 else { throw .system("rename", code: errno) }
      // The folder is synced too, as it holds the file's name.
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
