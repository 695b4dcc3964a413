import Inference
import Scheduling

/// Sessions from one process to the next.
package struct SessionTransfer: Sendable {
  private let models: ModelCatalogue
  private let sessions: Sessions

  init(_ parts: ServiceParts) {
    models = parts.models
    sessions = parts.sessions
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
    let served = models.models.filter { $0.fingerprint != nil }
    var writer = try SessionFileWriter(models: served, write: write)
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
      time: ProcessStatistics.now, count: count, generation: 0, isSpent: false)
  }

  /// What became of the sessions of a file.
  package struct SessionImport: Sendable {
    /// Those that go on here.
    package var restored = 0
    /// Those that don't, by the name of their model, and why in words.
    package var refused: [(model: String, count: Int, reason: String)] = []
  }

  /// Takes in what another process exported, or only remembers that it is lost; call it before the first request.
  ///
  /// A session whose model is another now is not taken, but remembered: its client is told. What throws has taken in
  /// nothing.
  package func restore(
    _ head: SessionFileHead, asLost: Bool = false, byteCount: Int,
    from read: @escaping (Int) throws(SessionFileFlaw) -> [UInt8]
  ) throws(SessionFileFlaw) -> SessionImport {
    do {
      var reader = try SessionFileReader(head: head, byteCount: byteCount, read: read)
      let away = Duration.seconds(Swift.max(0, ProcessStatistics.now - head.time))
      let refusals = Dictionary(
        reader.models.compactMap { model in refusal(of: model).map { (model.name, $0) } },
        uniquingKeysWith: { first, _ in first })
      var counts: [String: Int] = [:]
      while let block = try reader.next() {
        switch block {
        case .ends(let ends):
          sessions.withTable { table in for end in ends { table.remember(end.key, end.reason) } }
        case .lost(let hashes): sessions.withTable { $0.rememberLost(hashes) }
        case .sessions(let records):
          sessions.withTable { table in
            for record in records {
              if asLost {
                table.rememberLost(record.key)
              } else if refusals[record.key.model] != nil {
                table.remember(record.key, .otherModel)
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
      for (name, count) in counts.sorted(by: { $0.key < $1.key }) {
        if let reason = refusals[name] { result.refused.append((name, count, reason)) }
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

  /// Why sessions of that model can't go on here; nil where they can.
  private func refusal(of model: SessionFileReader.Model) -> String? {
    guard let served = models.models.first(where: { $0.name == model.name }) else {
      return "no model of that name is served"
    }
    guard let fingerprint = served.fingerprint else {
      return "the model needs the whole of a sequence at once now"
    }
    guard fingerprint == model.fingerprint else {
      return "the model's weights, graph or precision are others: fingerprint \(fingerprint), "
        + "of the sessions' \(model.fingerprint)"
    }
    guard served.graph.stateFloatCount == model.floatCount else {
      return
        "a state has \(served.graph.stateFloatCount) numbers, one of the file's \(model.floatCount)"
    }
    return nil
  }
}

extension SessionTable.Record {
  /// The same, after time in which nobody could use it.
  fileprivate func away(_ time: Duration) -> Self {
    Self(key: key, state: state, age: age + time, idle: idle + time)
  }
}
