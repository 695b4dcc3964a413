import Cryptography
import Inference
import Scheduling

/// Reads a session file block by block.
struct SessionFileReader {
  /// The decoded content of a block.
  enum Block {
    case sessions([SessionTable.Record])
    case ends([(key: SessionTable.Key, reason: SessionEnd)])
    /// Hashes of keys.
    case lost([UInt64])
  }

  private let read: (Int) throws(SessionFileFlaw) -> [UInt8]
  private var remaining: Int
  private var offset = SessionFileHead.byteCount
  private var hash = [UInt8](repeating: 0, count: Digest.byteCount)
  private var sessionCount = 0
  private let head: SessionFileHead
  /// The file's models. Those with the same fingerprint have the same state size.
  private(set) var models: [ModelIdentity] = []

  /// - Parameters:
  ///   - byteCount: the size of the file.
  ///   - read: returns the next bytes behind the head: as many as asked for or, at the end, fewer.
  init(
    head: SessionFileHead, byteCount: Int,
    read: @escaping (Int) throws(SessionFileFlaw) -> [UInt8]
  ) throws(SessionFileFlaw) {
    self.head = head
    self.read = read
    remaining = byteCount - SessionFileHead.byteCount
    var content = try nextBlock()
    guard content.kind == .models else { throw .damaged(offset: content.offset) }
    while !content.isEmpty {
      let name = content.text(lengthBytes: 2)
      guard let name, let bytes = content.read(ModelFingerprint.byteCount),
        let floatCount = content.word(4)
      else { throw .damaged(offset: content.offset) }
      let model = ModelIdentity(
        name: name, fingerprint: ModelFingerprint(bytes: bytes), floatCount: Int(floatCount))
      guard
        models.allSatisfy({
          $0.fingerprint != model.fingerprint || $0.floatCount == model.floatCount
        })
      else { throw .damaged(offset: content.offset) }
      models.append(model)
    }
  }

  /// The next block; nil at the end of the file.
  mutating func next() throws(SessionFileFlaw) -> Block? {
    var content = try nextBlock()
    switch content.kind {
    case .models: throw .damaged(offset: content.offset)
    case .sessions:
      var records: [SessionTable.Record] = []
      while !content.isEmpty {
        guard let record = record(&content) else { throw .damaged(offset: content.offset) }
        records.append(record)
      }
      sessionCount += records.count
      return .sessions(records)
    case .ends:
      var ends: [(key: SessionTable.Key, reason: SessionEnd)] = []
      while !content.isEmpty {
        guard let (key, _) = key(&content), let code = content.word(1),
          let reason = SessionEnd(rawValue: UInt8(code))
        else { throw .damaged(offset: content.offset) }
        ends.append((key, reason))
      }
      return .ends(ends)
    case .lost:
      var hashes: [UInt64] = []
      while !content.isEmpty {
        guard let hash = content.word(8) else { throw .damaged(offset: content.offset) }
        hashes.append(hash)
      }
      return .lost(hashes)
    case .end:
      guard content.word(8) == UInt64(sessionCount), content.isEmpty, head.count == sessionCount
      else { throw .damaged(offset: content.offset) }
      guard remaining == 0 else { throw .trailing(offset: offset) }
      return nil
    }
  }

  /// The content of a block whose hash matches.
  private struct Content {
    let kind: SessionFileBlock
    /// The offset of the block in the file.
    let offset: Int
    var bytes: ArraySlice<UInt8>

    var isEmpty: Bool { bytes.isEmpty }

    mutating func read(_ count: Int) -> ArraySlice<UInt8>? {
      guard count <= bytes.count else { return nil }
      defer { bytes.removeFirst(count) }
      return bytes.prefix(count)
    }

    mutating func word(_ byteCount: Int) -> UInt64? {
      read(byteCount)?.word(at: 0, byteCount)
    }

    mutating func text(lengthBytes: Int) -> String? {
      guard let length = word(lengthBytes), let bytes = read(Int(length)) else { return nil }
      return String(decoding: bytes, as: UTF8.self)
    }

    mutating func milliseconds() -> Duration? {
      word(8).flatMap { $0 <= 1 << 53 ? .milliseconds(Int64($0)) : nil }
    }

    mutating func floats(_ count: Int) -> [Float]? {
      guard count <= bytes.count / 4, let bytes = read(4 * count) else { return nil }
      return (0..<count).map { Float(bitPattern: UInt32(bytes.word(at: 4 * $0, 4))) }
    }
  }

  private mutating func nextBlock() throws(SessionFileFlaw) -> Content {
    let start = offset
    let head = try readBytes(SessionFileBlock.headByteCount)
    let length = Int(head[...].word(at: 1, 4))
    // Checked before memory is allocated for a length that may be damaged.
    guard length + Digest.byteCount <= remaining else { throw .truncated }
    var block = hash + head
    block += try readBytes(length + Digest.byteCount)
    let end = block.count - Digest.byteCount
    hash = Digest.hash(block.span.extracting(first: end))
    guard block[end...].elementsEqual(hash), let kind = SessionFileBlock(rawValue: head[0]) else {
      throw .damaged(offset: start)
    }
    let first = Digest.byteCount + SessionFileBlock.headByteCount
    return Content(kind: kind, offset: start, bytes: block[first..<end])
  }

  private mutating func readBytes(_ count: Int) throws(SessionFileFlaw) -> [UInt8] {
    guard count <= remaining else { throw .truncated }
    let bytes = try read(count)
    guard bytes.count == count else { throw .truncated }
    remaining -= count
    offset += count
    return bytes
  }

  private func key(_ content: inout Content) -> (SessionTable.Key, ModelIdentity)? {
    guard let place = content.word(2), place < models.count,
      let id = content.text(lengthBytes: 1), SessionUse.isID(id)
    else { return nil }
    let model = models[Int(place)]
    return (SessionTable.Key(model: model.fingerprint.text, id: id), model)
  }

  private func record(_ content: inout Content) -> SessionTable.Record? {
    guard let (key, model) = key(&content), let position = content.word(8),
      (1...StateSealer.maxPosition).contains(position), let age = content.milliseconds(),
      let idle = content.milliseconds(), let floats = content.floats(model.floatCount)
    else { return nil }
    return SessionTable.Record(
      key: key, state: SequenceState(position: Int(position), floats: floats), age: age, idle: idle)
  }
}
