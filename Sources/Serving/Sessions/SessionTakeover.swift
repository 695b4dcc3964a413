import Cryptography
import Dispatch
import Inference
import Scheduling
import Synchronization

/// Takes what session files have over into a session store, before anything is served from it.
///
/// A session gets a version that follows from the file and the session alone. So whoever is stopped on the way, or before the file is
/// marked, can begin again: the store has the same ids then, with the same versions. What the store knows of an id stays.
/// It blocks its thread: until the store has all, or the process ends.
package final class SessionTakeover: SessionRestoring {
  private let transfer: SessionTransfer
  private let store: any SessionStore
  private let stopped = Atomic(false)

  /// What the store is handed at once: so much of states, or so many sessions and ends.
  private static let batchLimits = (byteCount: 4 << 20, count: 4096)
  /// Between two looks at a store that fails, and at whether the process ends.
  private static let pause = DispatchTimeInterval.milliseconds(50)

  package init(_ transfer: SessionTransfer, into store: any SessionStore) {
    self.transfer = transfer
    self.store = store
  }

  package var isIntoStore: Bool { true }

  /// Has it end soon, where it has not ended: the next process begins again.
  package func stop() { stopped.store(true, ordering: .releasing) }

  private var isStopped: Bool { stopped.load(ordering: .acquiring) }

  /// Waits until the store works.
  ///
  /// - Returns: false where the process ends before.
  package func awaitStore() -> Bool {
    while !isStopped, store.problem != nil { rest() }
    return !isStopped
  }

  private func rest() { _ = DispatchSemaphore(value: 0).wait(timeout: .now() + Self.pause) }

  /// What is in the store can be known to clients already.
  package func forget() {}

  package func restore(
    _ head: SessionFileHead, asLost: Bool, byteCount: Int,
    from read: @escaping (Int) throws(SessionFileFlaw) -> [UInt8]
  ) throws(SessionFileFlaw) -> SessionImport {
    if asLost {
      return try transfer.restore(head, asLost: true, byteCount: byteCount, from: read)
    }
    var reader = try SessionFileReader(head: head, byteCount: byteCount, read: read)
    let away = Duration.seconds(max(0, transfer.wallClock() - head.time))
    let snapshot = transfer.models.snapshot
    let heirs = Dictionary(grouping: reader.models, by: \.fingerprint.text)
      .mapValues { SuccessorModels(of: $0, among: snapshot) }
    func keys(_ key: SessionTable.Key) -> [SessionTable.Key] {
      heirs[key.model]?.owners.map { .init(model: $0, id: key.id) } ?? []
    }
    let idleTimeout = transfer.sessions.withTable { $0.limits.idleTimeout }
    var (result, batch, refused) = (SessionImport(), Batch(), [String: Int]())
    while let block = try reader.next() {
      switch block {
      case .lost(let hashes): transfer.sessions.withTable { $0.rememberLost(hashes) }
      case .ends(let ends):
        for end in ends { for key in keys(end.key) { batch.add(.end(key, end.reason)) } }
      case .sessions(let records):
        for record in records.map({ $0.away(away) }) {
          if heirs[record.key.model]?.refusal != nil {
            for key in keys(record.key) { batch.add(.end(key, .otherModel)) }
            refused[record.key.model, default: 0] += 1
          } else if record.idle >= idleTimeout {
            batch.add(.end(record.key, .expired))
            result.expired += 1
          } else {
            batch.add(
              .session(record, version: Self.version(of: record, generation: head.generation)))
          }
        }
      }
      if batch.byteCount >= Self.batchLimits.byteCount
        || batch.items.count >= Self.batchLimits.count
      {
        hand(&batch, &result)
      }
      guard result.isWhole else { return result }
    }
    hand(&batch, &result)
    result.note(refused: refused, of: reader.models, heirs)
    return result
  }

  private struct Batch {
    var items: [SessionHandover] = []
    var byteCount = 0

    mutating func add(_ item: SessionHandover) {
      items.append(item)
      if case .session(let record, _) = item { byteCount += 4 * record.state.floats.count }
    }
  }

  /// Hands a batch to the store, again and again until it has it.
  private func hand(_ batch: inout Batch, _ result: inout SessionImport) {
    defer { batch = Batch() }
    while !batch.items.isEmpty {
      guard !isStopped else {
        result.isWhole = false
        return
      }
      guard let outcomes = offer(batch.items) else {
        rest()
        continue
      }
      for case (.session, let outcome) in zip(batch.items, outcomes) {
        if outcome == .taken { result.restored += 1 } else { result.present += 1 }
      }
      return
    }
  }

  /// Offers items to the store once; nil where it does not have all of them.
  private func offer(_ items: [SessionHandover]) -> [HandoverOutcome]? {
    let box = AnswerBox()
    store.takeOver(items) { box.set($0) }
    while !isStopped {
      if let result = box.wait(for: Self.pause) { return try? result.get() }
    }
    return nil
  }

  /// Where the store's answer comes to the thread that waits.
  private final class AnswerBox: Sendable {
    private let answer = Mutex<Result<[HandoverOutcome], SessionStoreProblem>?>(nil)
    private let isThere = DispatchSemaphore(value: 0)

    func set(_ result: Result<[HandoverOutcome], SessionStoreProblem>) {
      answer.withLock { $0 = result }
      isThere.signal()
    }

    func wait(
      for time: DispatchTimeInterval
    ) -> Result<[HandoverOutcome], SessionStoreProblem>? {
      guard isThere.wait(timeout: .now() + time) == .success else { return nil }
      return answer.withLock { $0 }
    }
  }

  /// The version of a session of a file: of 1 to 2⁶¹, by a hash of what the file says, so that two states of an id don't have the same.
  private static func version(of record: SessionTable.Record, generation: UInt64) -> Int {
    var bytes = Array("\(generation) \(record.key.model) \(record.key.id) ".utf8)
    bytes.append(littleEndian: UInt64(record.state.position), 8)
    for float in record.state.floats { bytes.append(littleEndian: UInt64(float.bitPattern), 4) }
    let hash = Digest.hash(bytes.span)
    return 1 + Int(hash[...].word(at: 0, 8) >> 3)
  }
}
