import Inference
import Scheduling

/// Sessions on their way from one process to the next, as the bytes of a file.
///
/// The magic text, the wall clock's seconds since 1970 (8 bytes), the number of sessions (8); each session its model's
/// fingerprint (16), its model's name and its id (each 2 for the length, then UTF-8), the steps done (8), its age and
/// idle time in milliseconds (8 each), the number of its floats (4) and these; and the SHA-256 of all that (32).
/// Numbers are little-endian. Whoever may write the file is trusted, so nothing is signed: the hash finds what broke.
struct SessionFile {
  /// A session, and the fingerprint of the model whose state it is.
  struct Entry: Equatable {
    let fingerprint: ModelFingerprint
    let record: SessionTable.Record
  }

  /// When it was written: seconds since 1970.
  let time: Double
  let entries: [Entry]

  static let magic = Array("carousel sessions 1\n".utf8)

  var bytes: [UInt8] {
    var bytes = Self.magic
    bytes.reserveCapacity(
      entries.reduce(128) { $0 + 64 + 256 + 4 * $1.record.state.floats.count })
    bytes.append(littleEndian: time.bitPattern, 8)
    bytes.append(littleEndian: UInt64(entries.count), 8)
    for entry in entries {
      bytes += entry.fingerprint.bytes
      for text in [entry.record.key.model, entry.record.key.id] {
        bytes.append(littleEndian: UInt64(text.utf8.count), 2)
        bytes += text.utf8
      }
      bytes.append(littleEndian: UInt64(entry.record.state.position), 8)
      bytes.append(littleEndian: entry.record.age.wholeMilliseconds, 8)
      bytes.append(littleEndian: entry.record.idle.wholeMilliseconds, 8)
      bytes.append(littleEndian: UInt64(entry.record.state.floats.count), 4)
      for float in entry.record.state.floats {
        bytes.append(littleEndian: UInt64(float.bitPattern), 4)
      }
    }
    bytes += Digest.hash(bytes.span)
    return bytes
  }
}

/// Why bytes are no file of sessions.
package enum SessionFileFlaw: Error, Equatable, Sendable {
  /// They begin otherwise.
  case magic
  /// The hash at the end is not that of what stands before it.
  case hash
  /// They end early, or go on, or hold a number that can't be, at this byte.
  case layout(offset: Int)
}

extension SessionFile {
  init(bytes: [UInt8]) throws(SessionFileFlaw) {
    guard bytes.starts(with: Self.magic) else { throw .magic }
    let end = bytes.count - Digest.byteCount
    guard end >= Self.magic.count,
      bytes[end...].elementsEqual(Digest.hash(bytes.span.extracting(first: end)))
    else { throw .hash }
    var reader = Reader(bytes: bytes[..<end], offset: Self.magic.count)
    time = Double(bitPattern: try reader.word(8))
    guard time.isFinite, abs(time) < 0x1p53 else { throw .layout(offset: Self.magic.count) }
    let count = try reader.count(8, of: 1)
    var entries: [Entry] = []
    for _ in 0..<count { entries.append(try reader.entry()) }
    guard reader.offset == end else { throw .layout(offset: reader.offset) }
    self.entries = entries
  }

  /// Reads one thing after another.
  private struct Reader {
    let bytes: ArraySlice<UInt8>
    var offset: Int

    mutating func take(_ count: Int) throws(SessionFileFlaw) -> ArraySlice<UInt8> {
      guard count <= bytes.endIndex - offset else { throw .layout(offset: offset) }
      defer { offset += count }
      return bytes[offset..<offset + count]
    }

    mutating func word(_ byteCount: Int) throws(SessionFileFlaw) -> UInt64 {
      try take(byteCount).word(at: 0, byteCount)
    }

    /// A number of things of `size` bytes or more, as many as there can be.
    mutating func count(_ byteCount: Int, of size: Int) throws(SessionFileFlaw) -> Int {
      let start = offset
      let count = try word(byteCount)
      guard count <= UInt64((bytes.endIndex - offset) / size) else {
        throw .layout(offset: start)
      }
      return Int(count)
    }

    mutating func text() throws(SessionFileFlaw) -> String {
      String(decoding: try take(try count(2, of: 1)), as: UTF8.self)
    }

    mutating func milliseconds() throws(SessionFileFlaw) -> Duration {
      let start = offset
      guard let count = Int(exactly: try word(8)), count <= 1 << 53 else {
        throw .layout(offset: start)
      }
      return .milliseconds(count)
    }

    mutating func entry() throws(SessionFileFlaw) -> Entry {
      let fingerprint = ModelFingerprint(bytes: try take(ModelFingerprint.byteCount))
      let key = SessionTable.Key(model: try text(), id: try text())
      let start = offset
      let position = try word(8)
      guard (1...StateSealer.maxPosition).contains(position) else {
        throw .layout(offset: start)
      }
      let (age, idle) = (try milliseconds(), try milliseconds())
      let floatCount = try count(4, of: 4)
      var floats: [Float] = []
      floats.reserveCapacity(floatCount)
      for _ in 0..<floatCount { floats.append(Float(bitPattern: UInt32(try word(4)))) }
      return Entry(
        fingerprint: fingerprint,
        record: .init(
          key: key, state: SequenceState(position: Int(position), floats: floats), age: age,
          idle: idle))
    }
  }
}

extension Duration {
  /// Whole milliseconds, none below zero.
  fileprivate var wholeMilliseconds: UInt64 { UInt64(Swift.max(0, self / .milliseconds(1))) }
}

extension SessionFileFlaw: CustomStringConvertible {
  package var description: String {
    switch self {
    case .magic: "it is no file of sessions"
    case .hash: "it is damaged: its hash is not that of its content"
    case .layout(let offset): "it is damaged at byte \(offset)"
    }
  }
}

// MARK: - From one process to the next

extension Service {
  /// Every session, as bytes for the process that comes after this one; call it when nobody is answered any more.
  package func exportedSessions() -> (count: Int, bytes: [UInt8]) {
    let records = sessions.withTable { $0.records(now: .now) }
    let entries = records.compactMap { record in
      (try? models.model(record.key.model))?.fingerprint.map {
        SessionFile.Entry(fingerprint: $0, record: record)
      }
    }
    return (entries.count, SessionFile(time: ProcessStatistics.now, entries: entries).bytes)
  }

  /// Takes in what another process exported; call it before the first request.
  ///
  /// A session whose model is another now is not taken, but remembered: its client is told.
  /// - Returns: the sessions that go on here, of all that the bytes hold.
  package func importSessions(
    from bytes: [UInt8]
  ) throws(SessionFileFlaw) -> (restored: Int, found: Int) {
    let file = try SessionFile(bytes: bytes)
    let away = Duration.seconds(Swift.max(0, ProcessStatistics.now - file.time))
    let served = Dictionary(uniqueKeysWithValues: models.models.map { ($0.name, $0) })
    return sessions.withTable { table in
      for entry in file.entries {
        let record = entry.record
        if let model = served[record.key.model], model.fingerprint == entry.fingerprint,
          record.state.floats.count == model.graph.stateFloatCount
        {
          table.restore(
            .init(
              key: record.key, state: record.state, age: record.age + away,
              idle: record.idle + away), now: .now)
        } else {
          table.remember(record.key, .otherModel)
        }
      }
      table.expire(now: .now)
      return (table.count, file.entries.count)
    }
  }
}
