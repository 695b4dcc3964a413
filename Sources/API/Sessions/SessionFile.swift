import Inference
import Scheduling

/// The head of a file of sessions: what it is, of which process, and whether it may still be gone on with.
///
/// A file is this head and blocks. The head: the magic text with the version of this layout (20 bytes), the wall clock's
/// seconds since 1970 (8), the number of sessions (8), the generation (8), 1 where the file is spent (8), and the SHA-256
/// of all that (32). It is written again in place when a process takes the file over: that is what makes a file spent.
/// Numbers are little-endian. Whoever may write the file is trusted, so nothing is signed: hashes find what broke.
package struct SessionFileHead: Equatable, Sendable {
  /// When the sessions were written: seconds since 1970.
  package var time: Double
  /// Sessions in the file.
  package var count: Int
  /// Which process wrote it or, where it is spent, took it over; later ones have higher numbers.
  package var generation: UInt64
  /// Whether a process has gone on with its sessions, or has begun without any: no other may.
  package var isSpent: Bool

  package init(time: Double, count: Int, generation: UInt64, isSpent: Bool) {
    self.time = time
    self.count = count
    self.generation = generation
    self.isSpent = isSpent
  }

  static let name = "carousel sessions "
  static let version = 2
  static let magic = Array("\(name)\(version)\n".utf8)
  package static let byteCount = magic.count + 4 * 8 + Digest.byteCount

  package var bytes: [UInt8] {
    var bytes = Self.magic
    for word in [time.bitPattern, UInt64(count), generation, isSpent ? 1 : 0] {
      bytes.append(littleEndian: word, 8)
    }
    return bytes + Digest.hash(bytes.span)
  }

  /// - Parameter bytes: the first `byteCount` of a file, or all of one that has fewer.
  package init(bytes: [UInt8]) throws(SessionFileFlaw) {
    guard bytes.starts(with: Self.name.utf8) else { throw .magic }
    guard bytes.starts(with: Self.magic) else {
      let rest = bytes.dropFirst(Self.name.utf8.count).prefix { $0 != UInt8(ascii: "\n") }
      throw .version(String(decoding: rest.prefix(8), as: UTF8.self))
    }
    guard bytes.count == Self.byteCount else { throw .truncated }
    let end = Self.byteCount - Digest.byteCount
    guard bytes[end...].elementsEqual(Digest.hash(bytes.span.extracting(first: end))) else {
      throw .damaged(offset: 0)
    }
    let words = (0..<4).map { bytes[...].word(at: Self.magic.count + 8 * $0, 8) }
    time = Double(bitPattern: words[0])
    guard time.isFinite, abs(time) < 0x1p53, let count = Int(exactly: words[1]), words[3] <= 1,
      words[2] < Self.generationLimit
    else { throw .damaged(offset: Self.magic.count) }
    self.count = count
    generation = words[2]
    isSpent = words[3] == 1
  }

  /// Whether the first bytes of a file, as many as a head has or all of fewer, may be what is left of one: cut short, or
  /// with up to a quarter of its name wrong. Others' files don't begin so.
  package static func isDamagedStart(_ bytes: [UInt8]) -> Bool {
    4 * zip(bytes, name.utf8).count { $0 != $1 } <= min(bytes.count, name.utf8.count)
  }

  /// What stands in a head's place while the rest of the file is written: known as ours, and no head.
  package static var placeholder: [UInt8] {
    magic + Array(repeating: 0, count: byteCount - magic.count)
  }

  /// Beyond any that a clock gives, and with room for those that come after it.
  static let generationLimit: UInt64 = 1 << 62
}

/// Why bytes are no file of sessions.
package enum SessionFileFlaw: Error, Equatable, Sendable {
  /// They begin otherwise.
  case magic
  /// They are of another version of the layout.
  case version(String)
  /// They end early.
  case truncated
  /// The block at this byte is not what was written: its hash is another, or it holds what can't be.
  case damaged(offset: Int)
  /// More follows where the file should end.
  case trailing(offset: Int)
  /// The system could not read them.
  case unreadable(code: Int32)
}

extension SessionFileFlaw: CustomStringConvertible {
  package var description: String {
    switch self {
    case .magic: "it is no file of sessions"
    case .version(let found):
      "it is a file of sessions of version \(found), expected version \(SessionFileHead.version)"
    case .truncated: "it ends early"
    case .damaged(let offset): "it is damaged, in what follows byte \(offset)"
    case .trailing(let offset): "it goes on behind its end, at byte \(offset)"
    case .unreadable(let code): "it can't be read (error \(code))"
    }
  }
}

/// What follows the head: blocks of a kind (a byte), the length of their content (4 bytes), the content, and the SHA-256 of
/// the hash before and all that, so that no block can be lost or change its place.
enum SessionFileBlock: UInt8 {
  /// The models, once and first: each the length of its name (2) and the name, its fingerprint (16) and the
  /// number of floats of a state (4).
  case models = 1
  /// Sessions, the least recently used first: each its model's place among these (2), the length of its id (1) and the
  /// id, the steps done (8), its age and idle time in milliseconds (8 each), and its floats.
  case sessions = 2
  /// Sessions that are gone: each its model's place (2), the length of its id (1) and the id, and why (1).
  case ends = 3
  /// The end: the number of sessions (8).
  case end = 4
  /// Sessions that processes before this one did not hand over, first those lost first, before all sessions: of each the
  /// hash of its key (8). A file has none where there are none.
  case lost = 5

  /// How long a block's content becomes before the next one begins.
  static let byteCount = 1 << 18
  /// Kind and length.
  static let headByteCount = 5
}

/// Gathers blocks, and hands each on as it is full: however many sessions there are, it holds one block.
struct SessionFileWriter<Failure: Error> {
  private let write: ([UInt8]) throws(Failure) -> Void
  private var hash = [UInt8](repeating: 0, count: Digest.byteCount)
  private var kind = SessionFileBlock.models
  private var content: [UInt8] = []
  /// By what tells a model, its first place among them.
  private let places: [String: Int]

  /// Begins with the models.
  init(
    models: [ModelIdentity], write: @escaping ([UInt8]) throws(Failure) -> Void
  ) throws(Failure) {
    self.write = write
    places = Dictionary(
      models.enumerated().map { ($1.fingerprint.text, $0) }, uniquingKeysWith: { first, _ in first }
    )
    for model in models {
      content.append(littleEndian: UInt64(model.name.utf8.count), 2)
      content += model.name.utf8
      content += model.fingerprint.bytes
      content.append(littleEndian: UInt64(model.floatCount), 4)
    }
    try flush()
  }

  mutating func add(_ record: SessionTable.Record) throws(Failure) {
    guard try begin(.sessions, record.key) else { return }
    content.append(littleEndian: UInt64(record.state.position), 8)
    content.append(littleEndian: record.age.wholeMilliseconds, 8)
    content.append(littleEndian: record.idle.wholeMilliseconds, 8)
    for float in record.state.floats {
      content.append(littleEndian: UInt64(float.bitPattern), 4)
    }
  }

  mutating func add(_ key: SessionTable.Key, _ reason: SessionEnd) throws(Failure) {
    guard try begin(.ends, key) else { return }
    content.append(reason.code)
  }

  mutating func addLost(_ hashes: [UInt64]) throws(Failure) {
    for hash in hashes {
      try begin(.lost)
      content.append(littleEndian: hash, 8)
    }
  }

  mutating func finish(count: Int) throws(Failure) {
    try flush()
    kind = .end
    content.append(littleEndian: UInt64(count), 8)
    try flush()
  }

  /// Begins an entry of a block of that kind; false where its model is none of the file's.
  private mutating func begin(
    _ kind: SessionFileBlock, _ key: SessionTable.Key
  ) throws(Failure) -> Bool {
    guard let place = places[key.model] else { return false }
    try begin(kind)
    content.append(littleEndian: UInt64(place), 2)
    content.append(UInt8(key.id.utf8.count))
    content += key.id.utf8
    return true
  }

  /// Begins an entry of a block of that kind.
  private mutating func begin(_ kind: SessionFileBlock) throws(Failure) {
    if self.kind != kind || content.count >= SessionFileBlock.byteCount { try flush() }
    self.kind = kind
  }

  private mutating func flush() throws(Failure) {
    guard !content.isEmpty || kind == .models else { return }
    var block = hash
    block.reserveCapacity(block.count + content.count + 64)
    block.append(kind.rawValue)
    block.append(littleEndian: UInt64(content.count), 4)
    block += content
    hash = Digest.hash(block.span)
    block += hash
    try write(Array(block[Digest.byteCount...]))
    content.removeAll(keepingCapacity: true)
    kind = .sessions
  }
}

/// Reads a file of sessions block by block.
struct SessionFileReader {
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
  /// Those of one fingerprint have states of one size.
  private(set) var models: [ModelIdentity] = []

  /// - Parameters:
  ///   - byteCount: the bytes of the file.
  ///   - read: gives its next bytes behind the head, so many or, at its end, fewer.
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
      guard let name, let bytes = content.take(ModelFingerprint.byteCount),
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
          let reason = SessionEnd(code: UInt8(code))
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

  /// The content of a block, whose hash fits.
  private struct Content {
    let kind: SessionFileBlock
    /// Where the block begins in the file.
    let offset: Int
    var bytes: ArraySlice<UInt8>

    var isEmpty: Bool { bytes.isEmpty }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
      guard count <= bytes.count else { return nil }
      defer { bytes.removeFirst(count) }
      return bytes.prefix(count)
    }

    mutating func word(_ byteCount: Int) -> UInt64? {
      take(byteCount)?.word(at: 0, byteCount)
    }

    mutating func text(lengthBytes: Int) -> String? {
      guard let length = word(lengthBytes), let bytes = take(Int(length)) else { return nil }
      return String(decoding: bytes, as: UTF8.self)
    }

    mutating func milliseconds() -> Duration? {
      word(8).flatMap { $0 <= 1 << 53 ? .milliseconds(Int64($0)) : nil }
    }

    mutating func floats(_ count: Int) -> [Float]? {
      guard count <= bytes.count / 4, let bytes = take(4 * count) else { return nil }
      return (0..<count).map { Float(bitPattern: UInt32(bytes.word(at: 4 * $0, 4))) }
    }
  }

  private mutating func nextBlock() throws(SessionFileFlaw) -> Content {
    let start = offset
    let head = try take(SessionFileBlock.headByteCount)
    let length = Int(head[...].word(at: 1, 4))
    // Before memory is taken for what a damaged length says.
    guard length + Digest.byteCount <= remaining else { throw .truncated }
    var block = hash + head
    block += try take(length + Digest.byteCount)
    let end = block.count - Digest.byteCount
    hash = Digest.hash(block.span.extracting(first: end))
    guard block[end...].elementsEqual(hash), let kind = SessionFileBlock(rawValue: head[0]) else {
      throw .damaged(offset: start)
    }
    let first = Digest.byteCount + SessionFileBlock.headByteCount
    return Content(kind: kind, offset: start, bytes: block[first..<end])
  }

  private mutating func take(_ count: Int) throws(SessionFileFlaw) -> [UInt8] {
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

extension SessionEnd {
  /// The number that stands for it in a file.
  fileprivate var code: UInt8 {
    switch self {
    case .evicted: 1
    case .expired: 2
    case .ended: 3
    case .otherModel: 4
    case .lost: 5
    }
  }

  fileprivate init?(code: UInt8) {
    guard let end = Self.allCases.first(where: { $0.code == code }) else { return nil }
    self = end
  }
}

extension Duration {
  /// Whole milliseconds, none below zero.
  fileprivate var wholeMilliseconds: UInt64 {
    UInt64(clamping: attoseconds / 1_000_000_000_000_000)
  }
}
