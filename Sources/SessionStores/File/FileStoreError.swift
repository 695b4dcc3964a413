import Glibc

/// Why a file can't be used as a store of sessions.
package enum FileStoreError: Error, Equatable, Sendable {
  /// The file is another program's, an SQLite database or not.
  case otherFile
  /// There is no regular file at the path, but a folder, a pipe or a device.
  case noFile
  /// The file has a layout of another version of this program, which this version does not know.
  case otherLayout(found: Int)
  /// Another process has locked the file.
  case taken
  case system(code: Int32)
  case sqlite(SQLiteError)

  /// Whether the disk has no room, which may change.
  var isOfFullDisk: Bool {
    switch self {
    case .system(let code): code == ENOSPC || code == EDQUOT
    case .sqlite(let error): error.isOfFullDisk
    case .otherFile, .noFile, .otherLayout, .taken: false
    }
  }
}

extension FileStoreError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .otherFile:
      return "found another file, expected one of sessions, or none: it is left as it is"
    case .noFile:
      return "found no regular file, expected one of sessions, or none"
    case .otherLayout(let found):
      return
        "found sessions in layout \(found), which another version of carousel wrote: it is left as it is"
    case .taken:
      return
        "another process, or this command by another name, has the file (and its .lock), expected one process a file"
    case .system(let code):
      // SAFETY: the call returns a string that is copied before the next one.
      let reason = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
      guard code == EROFS || code == EACCES || code == EPERM else { return reason }
      return
        "\(reason): expected a file, and a folder, in which this user may write: its log (-wal) and its lock (.lock) are beside it"
    case .sqlite(let error): return error.message
    }
  }
}
