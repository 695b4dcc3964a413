import Scheduling

/// The names of what a Redis has of sessions, as bytes.
enum SessionKeys {
  static let models = Array("carousel:models".utf8)

  static func name(_ kind: String, of key: SessionTable.Key) -> [UInt8] {
    Array("carousel:\(kind):{\(key.model)/\(key.id)}".utf8)
  }

  static func session(_ key: SessionTable.Key) -> [UInt8] { name("s", of: key) }
  static func lease(_ key: SessionTable.Key) -> [UInt8] { name("l", of: key) }
  static func end(_ key: SessionTable.Key) -> [UInt8] { name("e", of: key) }

  /// The session of a lease's name; nil where it is none of a lease.
  static func key(ofLease name: some Sequence<UInt8>) -> SessionTable.Key? {
    guard let text = String(validating: name, as: UTF8.self), text.hasPrefix("carousel:l:{"),
      text.hasSuffix("}")
    else { return nil }
    // A model's fingerprint has no slash, an id may.
    let parts = text.dropFirst("carousel:l:{".count).dropLast()
      .split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    return SessionTable.Key(model: String(parts[0]), id: String(parts[1]))
  }

  /// The channel on which other processes say which leases of `process` they want.
  static func channel(of process: [UInt8]) -> [UInt8] { Array("carousel:w:".utf8) + process }
  static func index(ofModel model: String) -> [UInt8] { Array("carousel:i:\(model)".utf8) }

  /// All keys of a session, in the order of scripts.
  static func all(of key: SessionTable.Key) -> [[UInt8]] {
    [session(key), lease(key), end(key), index(ofModel: key.model)]
  }
}
