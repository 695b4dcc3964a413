import Scheduling

/// The names of what a Redis has of sessions, as bytes.
///
/// In a cluster the sessions are in 256 groups, by a hash of their ids. A group is the hash tag of all its names, so that a script finds the
/// sessions of a group and its part of a model's index on one node.
struct SessionKeys: Sendable {
  static let models = Array("carousel:models".utf8)
  static let groupCount = 256

  let isCluster: Bool

  /// The group of an id: all of one Redis are in the first.
  func group(of id: String) -> Int {
    isCluster ? Int(HashSlot.checksum(id.utf8)) % Self.groupCount : 0
  }

  func name(_ kind: String, of key: SessionTable.Key) -> [UInt8] {
    Array(
      (isCluster
        ? "carousel:\(kind):{g\(group(of: key.id))}:\(key.model)/\(key.id)"
        : "carousel:\(kind):{\(key.model)/\(key.id)}").utf8)
  }

  func session(_ key: SessionTable.Key) -> [UInt8] { name("s", of: key) }
  func lease(_ key: SessionTable.Key) -> [UInt8] { name("l", of: key) }
  func end(_ key: SessionTable.Key) -> [UInt8] { name("e", of: key) }

  /// The session of a lease's name; nil where it is none of a lease.
  func key(ofLease name: some Sequence<UInt8>) -> SessionTable.Key? {
    guard let text = String(validating: name, as: UTF8.self), text.hasPrefix("carousel:l:{") else {
      return nil
    }
    var rest = text.dropFirst("carousel:l:{".count)
    if isCluster {
      guard let end = rest.firstRange(of: "}:") else { return nil }
      rest = rest[end.upperBound...]
    } else {
      guard rest.hasSuffix("}") else { return nil }
      rest = rest.dropLast()
    }
    // A model's fingerprint has no slash, an id may.
    let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2 else { return nil }
    return SessionTable.Key(model: String(parts[0]), id: String(parts[1]))
  }

  /// The channel on which other processes say which leases of `process` they want.
  static func channel(of process: [UInt8]) -> [UInt8] { Array("carousel:w:".utf8) + process }

  /// A set of a model's ids: all of them, or those of a group.
  struct Index: Sendable {
    let name: [UInt8]
    /// What stands in names before and behind an id of it, behind `carousel:s`.
    let affixes: [[UInt8]]
  }

  /// The sets that have all of a model's ids, in the order of the groups.
  func indexes(ofModel model: String) -> [Index] {
    (0..<(isCluster ? Self.groupCount : 1)).map { group in
      Index(
        name: indexName(ofModel: model, group: group),
        affixes: isCluster
          ? [Array(":{g\(group)}:\(model)/".utf8), []]
          : [Array(":{\(model)/".utf8), Array("}".utf8)])
    }
  }

  /// The set that has a session's id.
  func index(of key: SessionTable.Key) -> [UInt8] {
    indexName(ofModel: key.model, group: group(of: key.id))
  }

  private func indexName(ofModel model: String, group: Int) -> [UInt8] {
    Array("carousel:i:\(isCluster ? "{g\(group)}:" : "")\(model)".utf8)
  }

  /// All keys of a session, in the order of scripts.
  func all(of key: SessionTable.Key) -> [[UInt8]] {
    [session(key), lease(key), end(key), index(of: key)]
  }

  /// Divides what scripts can't touch together, in the order of the groups: whoever takes several takes them in the same order.
  func divided<Item>(_ items: [Item], by key: (Item) -> SessionTable.Key) -> [[Item]] {
    guard isCluster, items.count > 1 else { return items.isEmpty ? [] : [items] }
    return Dictionary(grouping: items) { group(of: key($0).id) }.sorted { $0.key < $1.key }
      .map(\.value)
  }
}

/// Where a cluster has a key: one of 16,384 slots, by a CRC-16 of its name or of what stands in it between the first braces
/// (Redis Cluster specification, "Key distribution model" and "Hash tags").
enum HashSlot {
  static let count = 16_384

  static func slot(of key: [UInt8]) -> Int {
    var tag = key[...]
    if let start = key.firstIndex(of: UInt8(ascii: "{")),
      let end = key[(start + 1)...].firstIndex(of: UInt8(ascii: "}")), end > start + 1
    {
      tag = key[(start + 1)..<end]
    }
    return Int(checksum(tag)) % count
  }

  /// CRC-16/XMODEM: the polynomial 0x1021, begun with 0.
  static func checksum(_ bytes: some Sequence<UInt8>) -> UInt16 {
    var checksum: UInt16 = 0
    for byte in bytes {
      checksum ^= UInt16(byte) << 8
      for _ in 0..<8 {
        checksum = checksum & 0x8000 == 0 ? checksum << 1 : (checksum << 1) ^ 0x1021
      }
    }
    return checksum
  }
}
