import Glibc

/// A file opened for reading; `deinit` closes it.
package struct OpenFile: ~Copyable {
  let path: String
  package let size: Int
  private let descriptor: Int32

  /// Opens a regular file. Refuses pipes (without waiting for a writer) and folders.
  package init(path: String) throws(ModelError) {
    // SAFETY: the path is a zero-terminated string for the length of the call, here and below.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .system("open", path: path, code: errno) }
    var status = stat()
    // SAFETY: `status` outlives the call, which writes one `stat`.
    guard unsafe fstat(descriptor, &status) == 0 else {
      let code = errno
      close(descriptor)
      throw .system("examine", path: path, code: code)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw .notRegularFile(path: path)
    }
    self.path = path
    self.size = Int(status.st_size)
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Maps the whole file, which must not be empty.
  func map() throws(ModelError) -> FileMapping {
    // SAFETY: a fresh mapping of `size` bytes at an address the system chooses; its owner unmaps it.
    let address = unsafe mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let address = unsafe address, unsafe address != MAP_FAILED else {
      throw .system("map", path: path, code: errno)
    }
    return unsafe FileMapping(address: address, count: size)
  }

  /// A copy of the file's bytes; fewer than `size` if the file shrank since it was opened.
  package func read() throws(ModelError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: size)
    var filled = 0
    while filled < size {
      // SAFETY: the call writes at most the `size - filled` bytes that follow `filled` in `bytes`.
      let count = unsafe bytes.withUnsafeMutableBytes {
        unsafe Glibc.read(descriptor, $0.baseAddress! + filled, size - filled)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system("read", path: path, code: errno) }
      if count == 0 { break }
      filled += count
    }
    bytes.removeLast(size - filled)
    return bytes
  }

  /// Removes the file at `path`, if it is there.
  package static func remove(_ path: String) {
    // SAFETY: the path is a zero-terminated string for the length of the call.
    unsafe unlink(path)
  }

  /// Checks that `write` could create a file at `path`: creates its temporary file beside it and removes that again.
  package static func checkWritable(_ path: String) throws(ModelError) {
    var status = stat()
    // SAFETY: the path is a zero-terminated string for the length of the call, which writes one `stat`.
    if unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      throw .system("write", path: path, code: EISDIR)
    }
    guard replaces(path) else { return }
    let partial = partialPath(of: path)
    // SAFETY: as above.
    let descriptor = unsafe open(partial, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .system("create", path: partial, code: errno) }
    close(descriptor)
    remove(partial)
  }

  /// Whether `write` replaces what is at `path` by renaming: it does so for a regular file, or where there is nothing.
  /// It opens devices, pipes and links, and writes into them.
  private static func replaces(_ path: String) -> Bool {
    var status = stat()
    // SAFETY: the path is a zero-terminated string for the length of the call, which writes one `stat`.
    guard unsafe lstat(path, &status) == 0 else { return true }
    return status.st_mode & S_IFMT == S_IFREG
  }

  private static func partialPath(of path: String) -> String { "\(path).\(getpid()).partial" }

  /// Writes a temporary file beside `path` and renames it to `path`, so that no reader sees or maps half a file. If
  /// there is something other than a regular file at `path`, writes the bytes into that instead.
  ///
  /// - Parameter isPrivate: whether only the current user may read the file.
  package static func write(
    _ bytes: [UInt8], to path: String, isPrivate: Bool = false
  ) throws(ModelError) {
    let replaces = replaces(path)
    let target = replaces ? partialPath(of: path) : path
    func fail(_ call: String, _ path: String) -> ModelError {
      let code = errno
      if replaces { remove(target) }
      return .system(call, path: path, code: code)
    }
    // SAFETY: the paths are zero-terminated strings for the length of each call, here and below.
    let descriptor = unsafe open(
      target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, isPrivate ? 0o600 : 0o644)
    guard descriptor >= 0 else { throw .system("create", path: target, code: errno) }
    var written = 0
    while written < bytes.count {
      // SAFETY: the call reads the `bytes.count - written` bytes that follow `written` in `bytes`.
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress! + written, bytes.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else {
        let error = fail("write", target)
        close(descriptor)
        throw error
      }
      written += count
    }
    // On the disk before it takes its name: a power cut leaves the old file or the new one, not an empty one.
    guard !replaces || fsync(descriptor) == 0 else {
      let error = fail("write", target)
      close(descriptor)
      throw error
    }
    guard close(descriptor) == 0 else { throw fail("write", path) }
    if replaces, unsafe rename(target, path) != 0 { throw fail("write", path) }
  }
}

/// Look-ups in folders, for error messages.
package enum Folder {
  /// The most entries of a folder that are read.
  private static let maxEntries = 1000

  /// The names in a folder, except those that begin with a dot; empty if the folder can't be read.
  package static func names(in folder: String) -> [String] {
    // SAFETY: `opendir` copies the path; the stream that it gives is closed once, below.
    guard let stream = unsafe opendir(folder) else { return [] }
    // SAFETY: `stream` is open and not used afterwards.
    defer { unsafe closedir(stream) }
    var names: [String] = []
    // SAFETY: an entry is valid until the next call, and its name ends with a zero byte.
    while names.count < maxEntries, let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names
  }

  /// Whether there is anything at `path`.
  static func exists(_ path: String) -> Bool {
    // SAFETY: the path is a zero-terminated string for the length of the call.
    unsafe access(path, F_OK) == 0
  }
}

/// Sendable by proof: the mapping is read-only, never changes its address, and is unmapped by the last owner.
@safe
final class FileMapping: @unchecked Sendable {
  private let address: UnsafeMutableRawPointer
  private let count: Int

  /// Takes over `count` mapped bytes at `address`.
  @unsafe
  init(address: UnsafeMutableRawPointer, count: Int) {
    unsafe self.address = unsafe address
    self.count = count
  }

  // SAFETY: the address and count that mmap gave; no span outlives `withBytes`, and so none outlives self.
  deinit { unsafe munmap(address, count) }

  /// Calls a closure with the bytes. If another process truncates the file, reading lost pages kills this process
  /// (SIGBUS): replace model files by renaming, never in place.
  func withBytes<Result, Failure: Error>(
    _ body: (Span<UInt8>) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    // SAFETY: `count` bytes stay mapped while self lives, which `withExtendedLifetime` holds.
    let pointer = unsafe address.assumingMemoryBound(to: UInt8.self)
    let buffer = unsafe UnsafeBufferPointer(start: pointer, count: count)
    defer { withExtendedLifetime(self) {} }
    return try body(unsafe buffer.span)
  }
}
