import Inference
import Scheduling

/// What requests ask of a Redis.
extension RedisSessionStore {
  private typealias Key = SessionTable.Key

  package func take(
    _ keys: [SessionTable.Key], beside sources: [SessionTable.Key], floatCount: Int,
    completion: @escaping @Sendable (Result<[SessionFinding], SessionStoreProblem>) -> Void
  ) {
    let token = makeToken()
    find(
      keys.map { ($0, "l") } + sources.map { ($0, "r") }, token: token, floatCount: floatCount
    ) { [self] result in
      // Before anybody hears of it: it may give them back at once.
      if case .success = result { state.withLock { $0.leases.insert(keys, token) } }
      completion(result)
    }
  }

  package func fetch(
    _ keys: [SessionTable.Key], floatCount: Int,
    completion: @escaping @Sendable (Result<[SessionFinding], SessionStoreProblem>) -> Void
  ) {
    find(keys.map { ($0, "p") }, token: "", floatCount: floatCount, completion: completion)
  }

  private func find(
    _ keys: [(key: SessionTable.Key, mode: String)], token: String, floatCount: Int,
    completion: @escaping @Sendable (Result<[SessionFinding], SessionStoreProblem>) -> Void
  ) {
    let namesakes =
      keys.first.map { first in
        state.withLock { $0.namesakes[first.key.model] ?? [] }
      } ?? []
    let others = keys.flatMap { key, _ in
      namesakes.map { SessionKeys.session(Key(model: $0, id: key.id)) }
    }
    run(
      SessionScripts.take, keys: keys.flatMap { SessionKeys.all(of: $0.key) } + others,
      [
        Array(token.utf8), limits.lease.scriptMilliseconds,
        limits.idleTimeout.scriptMilliseconds, Array("\(namesakes.count)".utf8),
      ] + keys.flatMap { [Array($0.key.id.utf8), Array($0.mode.utf8)] }
    ) { [self] result in
      switch result {
      case .failure(let problem): completion(.failure(problem.asStoreProblem))
      case .success(.integer(let index)) where keys.indices.contains(index - 1):
        completion(.failure(.leased(id: keys[index - 1].key.id)))
      case .success(let reply):
        guard let found = reply.elements, found.count == keys.count else {
          return completion(.failure(RedisProblem.malformed.asStoreProblem))
        }
        completion(
          .success(
            zip(keys, found).map { self.finding($0.key, $1.elements ?? [], floatCount: floatCount) }
          ))
      }
    }
  }

  private func finding(
    _ key: SessionTable.Key, _ found: [RESPValue], floatCount: Int
  ) -> SessionFinding {
    guard found.count > 1 else {
      return found.first?.number.flatMap { SessionEnd(rawValue: UInt8(truncatingIfNeeded: $0)) }
        .map { .ended($0) } ?? .unknown
    }
    let version = found[0].number ?? 0
    guard found.count == 6, let steps = found[1].number, steps > 0, version > 0,
      let age = found[2].number, let idle = found[3].number,
      case .bytes(let bytes) = found[5], let floats = SessionKeys.floats(of: bytes),
      floats.count == floatCount,
      found[4].number
        == StateChecksum.of(SequenceState(position: steps, floats: floats), key: key, version: 0)
    else {
      damage(key, version: found[0].text ?? "")
      return .ended(.damaged)
    }
    return .session(
      SessionTable.Record(
        key: key, state: SequenceState(position: steps, floats: floats),
        age: .milliseconds(max(0, age)), idle: .milliseconds(max(0, idle))), version: version)
  }

  /// Ends a session that was found to be of no use any more.
  private func damage(_ key: SessionTable.Key, version: String) {
    run(
      SessionScripts.damage,
      keys: [
        SessionKeys.session(key), SessionKeys.end(key), SessionKeys.index(ofModel: key.model),
      ],
      [Array(key.id.utf8), Array(version.utf8), limits.endsRemembered.scriptMilliseconds]
    ) { [self] result in
      guard case .success(.integer(1)) = result else { return }
      state.withLock { $0.statistics.endCounts[.damaged, default: 0] += 1 }
      reportDamage()
    }
  }

  package func write(
    _ moves: [SessionMove],
    completion: @escaping @Sendable (Result<Void, SessionStoreProblem>) -> Void
  ) {
    let token = makeToken()
    let leases = state.withLock { $0.leases.held(moves.map(\.key)) }
    let tokens = Dictionary(uniqueKeysWithValues: leases.map { ($0.key, $0.token) })
    let arguments = moves.flatMap { move -> [[UInt8]] in
      let checksum = StateChecksum.of(move.state, key: move.key, version: 0)
      let texts = [
        tokens[move.key] ?? "", move.key.id, "\(move.version)", "\(move.state.position)",
        move.isAnew ? "1" : "0", move.ends ? "1" : "0", "\(checksum)",
      ]
      return texts.map { Array($0.utf8) } + [SessionKeys.bytes(of: move.state.floats)]
    }
    run(
      SessionScripts.move, keys: moves.flatMap { SessionKeys.all(of: $0.key) },
      [
        Array(token.utf8), limits.idleTimeout.scriptMilliseconds,
        limits.endsRemembered.scriptMilliseconds,
      ] + arguments, isWrite: true, waits: durability == .behind
    ) { [self] result in
      switch result {
      case .success(.integer(0)):
        state.withLock { state in
          state.leases.remove(leases)
          state.statistics.commits += 1
          state.statistics.moves += moves.count
          for move in moves where move.ends { state.statistics.endCounts[.ended, default: 0] += 1 }
        }
        completion(.success(()))
      case .success(let reply):
        guard let numbers = reply.elements?.compactMap(\.number), numbers.count == 2,
          moves.indices.contains(numbers[0] - 1)
        else {
          giveBack(leases)
          return completion(.failure(.unsure(reason: RedisProblem.malformed.reason)))
        }
        state.withLock { $0.leases.remove(leases) }
        completion(
          .failure(
            .moved(
              id: moves[numbers[0] - 1].key.id, steps: numbers[1] < 0 ? nil : numbers[1])))
      case .failure(let problem):
        giveBack(leases)
        completion(.failure(problem.asStoreProblem))
      }
    }
  }

  package func release(_ keys: [SessionTable.Key]) {
    giveBack(state.withLock { $0.leases.held(keys) })
  }

  package func touch(_ keys: [SessionTable.Key]) {
    run(
      SessionScripts.touch,
      keys: keys.flatMap { [SessionKeys.session($0), SessionKeys.index(ofModel: $0.model)] },
      [limits.idleTimeout.scriptMilliseconds] + keys.map { Array($0.id.utf8) }
    ) { _ in }
  }

  package func list(
    of model: String, limit: Int,
    completion: @escaping @Sendable (Result<[SessionTable.Listing], SessionStoreProblem>) -> Void
  ) {
    run(
      SessionScripts.list, keys: [SessionKeys.index(ofModel: model)],
      [Array(model.utf8), Array("\(limit)".utf8)]
    ) { result in
      completion(
        result.mapError(\.asStoreProblem).map { reply in
          (reply.elements ?? []).compactMap { item in
            guard let fields = item.elements, fields.count == 4, let id = fields[0].text,
              let steps = fields[1].number, let age = fields[2].number, let idle = fields[3].number
            else { return nil }
            return SessionTable.Listing(
              id: id, steps: steps, age: .milliseconds(max(0, age)),
              idle: .milliseconds(max(0, idle)))
          }
        })
    }
  }
}
