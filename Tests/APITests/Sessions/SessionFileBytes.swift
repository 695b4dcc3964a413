import Cryptography
import Scheduling

@testable import API
@testable import Serving

/// A file of sessions, laid out by hand.
struct SessionFileBytes {
  var time = 1_700_000_000.25
  var count: Int?
  var generation: UInt64 = 7
  var isSpent = false
  var models: [(name: String, fingerprint: [UInt8], floatCount: Int)] = []
  var records: [SessionTable.Record] = []
  var ends: [(key: SessionTable.Key, code: UInt8)] = []
  var lost: [UInt64] = []

  private static func word(_ word: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: word >> (8 * UInt64($0))) }
  }

  private static func head(_ words: [UInt64]) -> [UInt8] {
    let bytes = Array("carousel sessions 2\n".utf8) + words.flatMap { word($0, 8) }
    return bytes + Digest.hash(bytes.span)
  }

  private func key(_ key: SessionTable.Key) -> [UInt8] {
    Self.word(UInt64(models.firstIndex { $0.name == key.model }!), 2)
      + [UInt8(key.id.utf8.count)] + key.id.utf8
  }

  private func content(_ record: SessionTable.Record) -> [UInt8] {
    var bytes = key(record.key) + Self.word(UInt64(record.state.position), 8)
    for duration in [record.age, record.idle] {
      bytes += Self.word(UInt64(duration / .milliseconds(1)), 8)
    }
    return bytes + record.state.floats.flatMap { Self.word(UInt64($0.bitPattern), 4) }
  }

  /// Kinds and contents, in order.
  var blocks: [(UInt8, [UInt8])] {
    let described = models.flatMap { model in
      Self.word(UInt64(model.name.utf8.count), 2) + model.name.utf8 + model.fingerprint
        + Self.word(UInt64(model.floatCount), 4)
    }
    var blocks: [(UInt8, [UInt8])] = [(1, described)]
    if !lost.isEmpty { blocks.append((5, lost.flatMap { Self.word($0, 8) })) }
    if !records.isEmpty { blocks.append((2, records.flatMap(content))) }
    if !ends.isEmpty { blocks.append((3, ends.flatMap { key($0.key) + [$0.code] })) }
    return blocks + [(4, Self.word(UInt64(count ?? records.count), 8))]
  }

  var bytes: [UInt8] { bytes(of: blocks) }

  /// With the hashes that fit these blocks.
  func bytes(of blocks: [(UInt8, [UInt8])]) -> [UInt8] {
    var bytes = Self.head(
      [time.bitPattern, UInt64(count ?? records.count), generation, isSpent ? 1 : 0])
    var hash = [UInt8](repeating: 0, count: 32)
    for (kind, content) in blocks {
      let block = [kind] + Self.word(UInt64(content.count), 4) + content
      hash = Digest.hash((hash + block).span)
      bytes += block + hash
    }
    return bytes
  }
}

extension Service {
  /// All of a file, as a process writes it at its end.
  func exported(generation: UInt64 = 7) -> [UInt8] {
    sessionTransfer.freeze()
    var blocks: [UInt8] = []
    var head = sessionTransfer.export { blocks += $0 }
    head.generation = generation
    return head.bytes + blocks
  }

  @discardableResult
  func imported(
    _ bytes: [UInt8], asLost: Bool = false
  ) throws(SessionFileFlaw) -> SessionImport {
    let head = try SessionFileHead(bytes: Array(bytes.prefix(SessionFileHead.byteCount)))
    let rest = Rest(bytes: bytes.dropFirst(SessionFileHead.byteCount))
    return try sessionTransfer.restore(head, asLost: asLost, byteCount: bytes.count) {
      rest.read($0)
    }
  }

  private final class Rest {
    var bytes: ArraySlice<UInt8>

    init(bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    func read(_ count: Int) -> [UInt8] {
      defer { bytes = bytes.dropFirst(count) }
      return Array(bytes.prefix(count))
    }
  }
}
