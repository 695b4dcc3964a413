import CSQLite
import Glibc

/// Why SQLite failed: its extended result code, and a message.
package struct SQLiteError: Error, Equatable, Sendable, CustomStringConvertible {
  package let code: Int32
  package let message: String

  package var description: String { message }

  init(code: Int32, message: String) {
    self.code = code
    self.message = message
  }

  /// - Parameters:
  ///   - message: SQLite's message.
  ///   - cause: the system's error (errno) that caused it; 0 for none.
  ///   - path: the database's path.
  init(code: Int32, message: String, cause: Int32, path: String) {
    let kind = code & 0xFF
    let isOfSystem = kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN || kind == SQLITE_FULL
    if kind == SQLITE_FULL || (isOfSystem && (cause == ENOSPC || cause == EDQUOT)) {
      self = .fullDisk(of: path, isQuota: isOfSystem && cause == EDQUOT)
    } else if kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB {
      self.init(code: code, message: "the file is damaged (\(message))")
    } else if kind == SQLITE_BUSY {
      self.init(code: code, message: "another program has the file open (\(message))")
    } else if isOfSystem, cause != 0 {
      // SAFETY: the call returns a string that is copied before the next one.
      let reason = unsafe strerror(cause).map { unsafe String(cString: $0) } ?? "\(cause)"
      self.init(code: code, message: "\(message) (\(reason))")
    } else {
      self.init(code: code, message: message)
    }
  }

  /// The error that a disk has no room for what is to be written.
  ///
  /// - Parameters:
  ///   - needed: the bytes that the file should have; nil if that is not known.
  ///   - isQuota: whether only this user's quota is used up.
  static func fullDisk(of path: String, needed: Int? = nil, isQuota: Bool = false) -> SQLiteError {
    let purpose = needed.map { "a file of \($0) bytes" } ?? "what is to be written"
    let free = StoreFile.freeBytes(besides: path).map { ", \($0) bytes are free" } ?? ""
    let place = isQuota ? "the user's quota on the disk" : "the disk"
    return SQLiteError(
      code: SQLITE_FULL, message: "\(place) of \(path) has no room for \(purpose)\(free)")
  }

  /// The error that a session's state is encrypted with a key that is not given.
  static func noKey(_ key: MissingKey, id: String) -> SQLiteError {
    SQLiteError(code: SQLITE_AUTH, message: "session \(id) \(key.explanation())")
  }

  /// Whether the error concerns one session, and says nothing about the others.
  var isOfOneSession: Bool { code & 0xFF == SQLITE_AUTH }

  /// Whether there is no room on the disk.
  var isOfFullDisk: Bool { code & 0xFF == SQLITE_FULL }

  /// Whether a part of the file can't be read; other parts may be whole.
  var isOfDamage: Bool { code & 0xFF == SQLITE_CORRUPT || code & 0xFF == SQLITE_IOERR }

  /// Whether the connection can't be used any more, but a new one may work.
  var isOfConnection: Bool {
    switch code & 0xFF {
    case SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_CANTOPEN, SQLITE_READONLY: true
    default: false
    }
  }
}
