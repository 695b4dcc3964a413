import Cryptography
import Inference
import Scheduling

/// Writes a session file block by block. Holds one block in memory, however many sessions there are.
struct SessionFileWriter<Failure: Error> {
  private let write: ([UInt8]) throws(Failure) -> Void
  private var hash = [UInt8](repeating: 0, count: Digest.byteCount)
  private var kind = SessionFileBlock.models
  private var content: [UInt8] = []
  /// By fingerprint, the index of the first model in the file that has it.
  private let places: [String: Int]

  /// Writes the block of models.
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

  /// Adds a session, unless its model is not in the file.
  mutating func add(_ record: SessionTable.Record) throws(Failure) {
    guard try begin(.sessions, record.key) else { return }
    content.append(littleEndian: UInt64(record.state.position), 8)
    content.append(littleEndian: UInt64(clamping: record.age.wholeMilliseconds), 8)
    content.append(littleEndian: UInt64(clamping: record.idle.wholeMilliseconds), 8)
    for float in record.state.floats {
      content.append(littleEndian: UInt64(float.bitPattern), 4)
    }
  }

  /// Adds the end of a session, unless its model is not in the file.
  mutating func add(_ key: SessionTable.Key, _ reason: SessionEnd) throws(Failure) {
    guard try begin(.ends, key) else { return }
    content.append(reason.rawValue)
  }

  /// Adds the hashes of the keys of lost sessions.
  mutating func addLost(_ hashes: [UInt64]) throws(Failure) {
    for hash in hashes {
      try begin(.lost)
      content.append(littleEndian: hash, 8)
    }
  }

  /// Writes what is left, and the last block, with the number of sessions.
  mutating func finish(count: Int) throws(Failure) {
    try flush()
    kind = .end
    content.append(littleEndian: UInt64(count), 8)
    try flush()
  }

  /// Begins an entry in a block of `kind`; false where its model is not in the file.
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

  /// Begins an entry in a block of `kind`.
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
