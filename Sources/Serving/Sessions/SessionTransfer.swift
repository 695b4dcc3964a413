import Inference
import Scheduling

/// Sessions from one process to the next.
package struct SessionTransfer: Sendable {
  private let models: ModelRegistry
  private let sessions: Sessions

  private let wallClock: @Sendable () -> Double

  /// - Parameter wallClock: tells the seconds since 1970.
  package init(
    models: ModelRegistry, sessions: Sessions, wallClock: @escaping @Sendable () -> Double
  ) {
    self.models = models
    self.sessions = sessions
    self.wallClock = wallClock
  }

  /// From now on no session moves, begins or ends; who asks for one is refused. Before `export`.
  package func freeze() { sessions.freeze() }

  /// Sessions there are.
  package var count: Int { sessions.withTable { $0.count } }

  /// Writes every session, why others are gone, and which are lost, as the blocks of a file that follow its head.
  ///
  /// - Returns: the head, which does not know yet of which generation it is.
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
      // A part at a time, as others look at the table meanwhile.
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

  /// The result of importing the sessions of a file.
  package struct SessionImport: Sendable {
    /// Those that go on here.
    package var restored = 0
    /// Those that don't, by the name of their model, and why in words.
    package var refused: [(model: String, count: Int, reason: String)] = []
  }

  /// Takes in what another process exported, or only remembers that it is lost; call it before the first request.
  ///
  /// A session goes on with a model that computes the same, whatever its name. Where there is none, but another has the name
  /// of its model, it is remembered as gone: its client is told. What throws has taken in nothing.
  package func restore(
    _ head: SessionFileHead, asLost: Bool = false, byteCount: Int,
    from read: @escaping (Int) throws(SessionFileFlaw) -> [UInt8]
  ) throws(SessionFileFlaw) -> SessionImport {
    do {
      var reader = try SessionFileReader(head: head, byteCount: byteCount, read: read)
      let away = Duration.seconds(Swift.max(0, wallClock() - head.time))
      let snapshot = models.snapshot
      let heirs = Dictionary(grouping: reader.models, by: \.fingerprint.text)
        .mapValues { Heirs(of: $0, among: snapshot) }
      /// A session's names here.
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
      for model in reader.models {
        guard let reason = heirs[model.fingerprint.text]?.refusal,
          let count = counts.removeValue(forKey: model.fingerprint.text)
        else { continue }
        result.refused.append((model.name, count, reason))
      }
      return result
    } catch {
      if !asLost { forget() }
      throw error
    }
  }

  /// Takes nothing of what was imported.
  package func forget() {
    sessions.withTable { $0 = SessionTable(limits: $0.limits) }
  }
}

/// The models here that clients ask for the sessions of a model of another process.
private struct Heirs {
  /// The keys of their sessions.
  let owners: [String]
  /// Why the sessions can't go on; nil where they can, with the only heir.
  let refusal: String?

  /// - Parameter models: one model, under each of its names.
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
  /// The same record, older by the time in which it could not be used.
  fileprivate func away(_ time: Duration) -> Self {
    Self(key: key, state: state, age: age + time, idle: idle + time)
  }
}
