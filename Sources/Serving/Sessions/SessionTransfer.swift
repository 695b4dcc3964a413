import Inference
import Scheduling

/// Exports sessions at the end of a process, and restores them in the next.
package struct SessionTransfer: SessionRestoring {
  let models: ModelRegistry
  let sessions: Sessions
  let wallClock: @Sendable () -> Double

  /// - Parameter wallClock: returns the seconds since 1970.
  package init(
    models: ModelRegistry, sessions: Sessions, wallClock: @escaping @Sendable () -> Double
  ) {
    self.models = models
    self.sessions = sessions
    self.wallClock = wallClock
  }

  /// Freezes all sessions: none moves, begins or ends any more, and requests for sessions are refused. Call before `export`.
  package func freeze() { sessions.freeze() }

  /// The number of sessions.
  package var count: Int { sessions.withTable { $0.count } }

  /// Writes the blocks of a session file: every session, why others are gone, and which are lost.
  ///
  /// - Returns: the file's head, whose generation is not set yet.
  package func export<Failure: Error>(
    to write: @escaping ([UInt8]) throws(Failure) -> Void
  ) throws(Failure) -> SessionFileHead {
    let (snapshot, usage) = (models.snapshot, sessions.withTable { $0.usage })
    let former = snapshot.former.filter { usage[$0.fingerprint.text]?.count ?? 0 > 0 }
    var writer = try SessionFileWriter(
      models: snapshot.models.compactMap(\.identity) + former, write: write)
    var (walk, count) = sessions.withTable { table in
      precondition(table.isFrozen, "sessions that move can't be exported")
      return (table.walk(), 0)
    }
    try writer.addLost(sessions.withTable { $0.rememberedLost })
    let now = ContinuousClock.now
    while true {
      // In parts, so that other threads get the lock in between.
      let records = sessions.withTable { [walk] table in
        var walk = walk
        return (table.records(&walk, limit: 1000, now: now), walk)
      }
      walk = records.1
      if records.0.isEmpty { break }
      for record in records.0 { try writer.add(record) }
      count += records.0.count
    }
    for end in sessions.withTable({ $0.rememberedEnds }) { try writer.add(end.key, end.reason) }
    try writer.finish(count: count)
    return SessionFileHead(
      time: wallClock(), count: count, generation: 0, isSpent: false)
  }

  /// Restores sessions that another process exported or, if `asLost`, only remembers that they are lost. Call before
  /// the first request.
  ///
  /// A session continues with a model of the same fingerprint, whatever its name. If there is none, but another model
  /// has the name, the session is remembered as gone, so that its client is told. If this throws, nothing was restored.
  package func restore(
    _ head: SessionFileHead, asLost: Bool = false, byteCount: Int,
    from read: @escaping (Int) throws(SessionFileFlaw) -> [UInt8]
  ) throws(SessionFileFlaw) -> SessionImport {
    do {
      var reader = try SessionFileReader(head: head, byteCount: byteCount, read: read)
      let away = Duration.seconds(Swift.max(0, wallClock() - head.time))
      let snapshot = models.snapshot
      let heirs = Dictionary(grouping: reader.models, by: \.fingerprint.text)
        .mapValues { SuccessorModels(of: $0, among: snapshot) }
      /// The keys of a session in this process.
      func keys(_ key: SessionTable.Key) -> [SessionTable.Key] {
        heirs[key.model]?.owners.map { .init(model: $0, id: key.id) } ?? []
      }
      var counts: [String: Int] = [:]
      while let block = try reader.next() {
        switch block {
        case .ends(let ends):
          sessions.withTable { table in
            for end in ends { for key in keys(end.key) { table.remember(key, end.reason) } }
          }
        case .lost(let hashes): sessions.withTable { $0.rememberLost(hashes) }
        case .sessions(let records):
          sessions.withTable { table in
            for record in records {
              if asLost {
                for key in keys(record.key) { table.rememberLost(key) }
              } else if heirs[record.key.model]?.refusal != nil {
                for key in keys(record.key) { table.remember(key, .otherModel) }
              } else {
                table.restore(record.away(away), now: .now)
              }
            }
          }
          if !asLost { for record in records { counts[record.key.model, default: 0] += 1 } }
        }
      }
      var result = SessionImport()
      result.restored = sessions.withTable { table in
        table.expire(now: .now)
        return table.count
      }
      result.note(refused: counts, of: reader.models, heirs)
      return result
    } catch {
      if !asLost { forget() }
      throw error
    }
  }

  package var isIntoStore: Bool { false }

  /// Forgets everything that was imported.
  package func forget() {
    sessions.withTable { $0 = SessionTable(limits: $0.limits) }
  }
}

/// The models here that may continue the sessions of a model of another process.
struct SuccessorModels {
  /// The owners in the keys of their sessions.
  let owners: [String]
  /// Why the sessions can't continue; nil where they can, with the only successor.
  let refusal: String?

  /// - Parameter models: the identities of one model, one for each of its names.
  init(of models: [ModelIdentity], among snapshot: ModelSnapshot) {
    let model = models[0]
    if let served = snapshot.models.first(where: { $0.fingerprint == model.fingerprint }) {
      owners = [served.sessionOwner]
      let count = served.graph.stateFloatCount
      refusal =
        count == model.floatCount
        ? nil : "a state has \(count) numbers, one of the file's \(model.floatCount)"
      return
    }
    let namesakes = snapshot.models.filter { served in models.contains { $0.name == served.name } }
    owners = namesakes.map(\.sessionOwner)
    refusal =
      if let served = namesakes.first {
        if let fingerprint = served.fingerprint {
          "the model's weights, graph or precision are others: fingerprint \(fingerprint), "
            + "of the sessions' \(model.fingerprint)"
        } else {
          "the model needs the whole of a sequence at once now"
        }
      } else {
        "no model of that name is served"
      }
  }
}

extension SessionTable.Record {
  /// The record, aged by the `time` between the two processes.
  func away(_ time: Duration) -> Self {
    Self(key: key, state: state, age: age + time, idle: idle + time)
  }
}
