import Glibc

/// The content of the file at `path`; `-` is standard input.
func readFile(_ path: String) throws(CarouselError) -> [UInt8] {
  // SAFETY: `open` reads the path, which ends with a zero byte and outlives the call.
  let descriptor = path == "-" ? STDIN_FILENO : unsafe open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { throw .file(path: path, code: errno) }
  defer { if descriptor != STDIN_FILENO { close(descriptor) } }
  var content: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    // SAFETY: the call writes at most `chunk.count` bytes from the start of `chunk`.
    let count = unsafe chunk.withUnsafeMutableBytes {
      unsafe read(descriptor, $0.baseAddress, $0.count)
    }
    if count < 0, errno == EINTR { continue }
    guard count >= 0 else { throw .file(path: path, code: errno) }
    if count == 0 { return content }
    content += chunk[..<count]
  }
}

/// The content of the file at `path`, which a setting names. Opens regular files only: reading a pipe would wait for a
/// writer, and a device may have no end.
func readSettingFile(_ path: String) throws(CarouselError) -> [UInt8] {
  var status = stat()
  // SAFETY: the path is a zero-terminated string for the length of the call, which writes one `stat`.
  guard unsafe stat(path, &status) == 0 else { throw .file(path: path, code: errno) }
  if let kind = fileKind(status) { throw .notRegular(path: path, kind: kind) }
  guard status.st_size <= maxSettingFileBytes else {
    throw .longFile(path: path, found: Int(status.st_size), limit: maxSettingFileBytes)
  }
  return try readFile(path)
}

/// The most bytes of a file that a setting names: 10,000 tokens of some KB each.
let maxSettingFileBytes = 64 << 20

/// The kind of file in words; nil for a regular file.
func fileKind(_ status: stat) -> String? {
  switch status.st_mode & S_IFMT {
  case S_IFREG: nil
  case S_IFDIR: "a folder"
  case S_IFIFO: "a pipe"
  case S_IFSOCK: "a socket"
  case S_IFCHR, S_IFBLK: "a device"
  default: "something that is no file"
  }
}

/// The subfolders of `folder` that hold a model, sorted by name.
func modelFolders(in folder: String) throws(CarouselError) -> [String] {
  // SAFETY: `opendir` copies the path; the stream that it gives is closed once, below.
  guard let stream = unsafe opendir(folder) else { throw .file(path: folder, code: errno) }
  // SAFETY: `stream` is open and not used afterwards.
  defer { unsafe closedir(stream) }
  var folders: [String] = []
  while true {
    errno = 0
    // SAFETY: an entry is valid until the next call, and its name ends with a zero byte.
    guard let entry = unsafe readdir(stream) else { break }
    let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
      unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
    }
    guard !name.hasPrefix(".") else { continue }
    let path = "\(folder)/\(name)"
    if isModelFolder(path) {
      folders.append(path)
    } else if errno != ENOENT, errno != ENOTDIR {
      throw .file(path: "\(path)/model.json", code: errno)
    }
  }
  guard errno == 0 else { throw .file(path: folder, code: errno) }
  return folders.sorted()
}

/// Whether the folder holds a model.json; if not, `errno` says why.
func isModelFolder(_ path: String) -> Bool {
  // SAFETY: `access` reads the path, which ends with a zero byte and outlives the call.
  unsafe access("\(path)/model.json", F_OK) == 0
}

/// The system's message for the error `code`.
func systemMessage(_ code: Int32) -> String {
  // SAFETY: strerror gives a string that ends with a zero byte; it is copied at once.
  unsafe String(cString: strerror(code))
}
