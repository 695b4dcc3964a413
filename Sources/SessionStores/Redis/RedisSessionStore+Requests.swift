import Inference
import Scheduling

/// What requests ask of a Redis.
extension RedisSessionStore {
  package func takeKept(
    _ keys: [SessionTable.Key], beside sources: [SessionTable.Key], floatCount: Int
  ) -> [SessionFinding]? {
    guard sources.isEmpty else { return nil }
    let now = ContinuousClock.now
    // Half of a lease's life is left, in which it is renewed.
    let leases = keeper.withLeases { $0.useKept(keys, now: now, life: limits.lease / 2) }
    return leases.map { leases in
      zip(keys, leases).map { key, lease in
        guard let entry = lease.entry else { preconditionFailure("what is kept has moved") }
        return .session(
          SessionTable.Record(
            key: key, state: entry.state, age: lease.created.duration(to: now), idle: .zero),
          version: entry.version)
      }
    }
  }

  package func take(
    _ keys: [SessionTable.Key], beside sources: [SessionTable.Key], floatCount: Int,
    freesOnly: Bool,
    completion: @escaping @Sendable (Result<[SessionFinding], SessionStoreProblem>) -> Void
  ) {
    let (token, asked) = (keeper.makeToken(), ContinuousClock.now)
    // What is kept of them is of an earlier lease.
    keeper.withLeases { leases in for key in keys { leases.forget(key) } }
    finder.find(
      keys.map { ($0, freesOnly ? .leaseToFree : .lease) } + sources.map { ($0, .read) },
      namesakes: namesakes(of: keys),
      token: token, floatCount: floatCount
    ) { [keeper, names = runner.names] result in
      switch result {
      case .success(let found):
        let now = ContinuousClock.now
        // Before anybody hears of it: it may give them back at once.
        keeper.withLeases { leases in
          for (key, found) in zip(keys, found) {
            var age = Duration.zero
            if case .session(let record, _) = found.finding { age = record.age }
            leases.insert(
              key, .init(token: token, entry: found.entry, created: now - age, renewed: asked))
          }
        }
      case .failure(.leased):
        // Of what one script reaches it takes all or nothing; others it may have taken before.
        guard names.isCluster, keys.count > 1 else { break }
        keeper.giveBack(keys.map { .init(key: $0, token: token) })
      case .failure:
        // They may be taken all the same, now or later.
        keeper.giveBack(keys.map { .init(key: $0, token: token) }, isLate: true)
      }
      completion(result.map { $0.map(\.finding) })
    }
  }

  package func fetch(
    _ keys: [SessionTable.Key], floatCount: Int,
    completion: @escaping @Sendable (Result<[SessionFinding], SessionStoreProblem>) -> Void
  ) {
    finder.find(
      keys.map { ($0, .peek) }, namesakes: namesakes(of: keys), token: keeper.makeToken(),
      floatCount: floatCount
    ) { completion($0.map { $0.map(\.finding) }) }
  }

  /// Other models that have had the name of the one that sessions are of.
  private func namesakes(of keys: [SessionTable.Key]) -> [String] {
    keys.first.flatMap { key in state.withLock { $0.namesakes[key.model] } } ?? []
  }

  package func write(
    _ moves: [SessionMove],
    completion: @escaping @Sendable (Result<Void, SessionStoreProblem>) -> Void
  ) {
    write(runner.names.divided(moves, by: \.key)[...], behind: [], completion: completion)
  }

  /// Makes the moves of a request, those that one script can make together, and then the next; it ends where that fails.
  private func write(
    _ parts: ArraySlice<[SessionMove]>, behind made: [String],
    completion: @escaping @Sendable (Result<Void, SessionStoreProblem>) -> Void
  ) {
    guard let part = parts.first else { return completion(.success(())) }
    writeTogether(part) { [self] result in
      let ids = part.map(\.key.id)
      switch result {
      case .success where parts.count == 1: completion(result)
      case .success: write(parts.dropFirst(), behind: made + ids, completion: completion)
      case .failure(let problem):
        let left = parts.dropFirst().flatMap { $0.map(\.key) }
        if !left.isEmpty { release(left) }
        guard !made.isEmpty else { return completion(.failure(problem)) }
        let unmade = ids + left.map(\.id)
        completion(
          .failure(
            .unsure(
              reason:
                "in a cluster: moved \(Self.list(made)), not moved or not known \(Self.list(unmade)): \(problem.explanation)"
            )))
      }
    }
  }

  /// Up to ten names.
  private static func list(_ ids: [String]) -> String {
    ids.prefix(10).joined(separator: ", ") + (ids.count > 10 ? " and \(ids.count - 10) more" : "")
  }

  private func writeTogether(
    _ moves: [SessionMove],
    completion: @escaping @Sendable (Result<Void, SessionStoreProblem>) -> Void
  ) {
    let token = keeper.makeToken()
    let asked = RedisMoves(
      moves, leases: keeper.withLeases { leases in moves.map { leases[$0.key] } }, token: token,
      process: keeper.process, mayKeep: limits.mayKeep && client.isSubscribed, limits: limits,
      now: .now)
    runner.run(
      asked.body(by: codec, names: runner.names), asked.effect, isWrite: true,
      waits: durability == .behind
    ) { [self] result in
      let outcome = (try? result.get()).flatMap { asked.outcome(of: $0) }
      keeper.giveBack(
        keeper.withLeases { asked.settle(outcome, in: &$0) }, isLate: outcome == nil)
      switch (result, outcome) {
      case (.failure(let problem), _): completion(.failure(problem.asStoreProblem))
      case (.success, .done):
        state.withLock { state in
          state.statistics.commits += 1
          state.statistics.moves += moves.count
          for move in moves where move.ends { state.statistics.endCounts[.ended, default: 0] += 1 }
        }
        completion(.success(()))
      case (.success, .moved(let id, let steps)): completion(.failure(.moved(id: id, steps: steps)))
      case (.success, nil): completion(.failure(.unsure(reason: RedisProblem.malformed.reason)))
      }
    }
  }

  package func release(_ keys: [SessionTable.Key]) { keeper.release(keys) }

  package func touch(_ keys: [SessionTable.Key]) {
    for part in runner.names.divided(keys, by: { $0 }) {
      runner.run(
        .script(
          SessionScripts.touch,
          keys: part.flatMap { [runner.names.session($0), runner.names.index(of: $0)] },
          arguments: [limits.idleMilliseconds] + part.map { Array($0.id.utf8) }), .frees)
    }
  }

  package func list(
    of model: String, limit: Int,
    completion: @escaping @Sendable (Result<SessionTable.Page, SessionStoreProblem>) -> Void
  ) {
    let indexes = runner.names.indexes(ofModel: model)
    // Ids are spread over groups by a hash: none has sixteen times its share of those used last, but where these are few.
    let share = indexes.count == 1 ? limit : min(limit, max(64, limit / 16))
    let pages = Answers<SessionTable.Page>(count: indexes.count) { result in
      completion(
        result.map { pages in
          guard pages.count > 1 else { return pages[0] }
          var usage = SessionTable.Usage()
          for page in pages { usage += page.usage }
          let listings = pages.flatMap(\.listings).sorted { $0.idle < $1.idle }
          return .init(listings: Array(listings.prefix(limit)), usage: usage)
        })
    }
    for (place, index) in indexes.enumerated() {
      runner.run(
        .script(
          SessionScripts.list, keys: [index.name],
          arguments: index.affixes + [Array("\(share)".utf8)]), .reads
      ) { [idleTimeout = limits.idleTimeout] result in
        pages.note(
          place, result.mapError(\.asStoreProblem).map { Self.page($0, idleTimeout: idleTimeout) })
      }
    }
  }

  private static func page(_ reply: RESPValue, idleTimeout: Duration) -> SessionTable.Page {
    let numbers = (reply.elements ?? []).prefix(3).map { $0.number ?? 0 }
    let now = numbers.first ?? 0
    let listings = (reply.elements ?? []).dropFirst(3).compactMap {
      item -> SessionTable.Listing? in
      guard let fields = item.elements, fields.count == 3, let id = fields[0].text,
        case .bytes(let bytes) = fields[1], let head = RedisEntry.Head(bytes),
        let rest = fields[2].number
      else { return nil }
      return SessionTable.Listing(
        id: id, steps: head.steps, age: .milliseconds(max(0, now - head.created)),
        idle: max(.zero, idleTimeout - .milliseconds(rest)))
    }
    return .init(listings: listings, usage: RedisEntry.usage(numbers.dropFirst()))
  }
}

extension SessionStoreProblem {
  /// In words, behind what became of other sessions.
  fileprivate var explanation: String {
    switch self {
    case .failing(let reason), .unsure(let reason): reason
    case .slow(let time): "no answer for \(time.components.seconds) s"
    case .closed: "closed"
    case .moved(let id, let steps):
      steps.map { "\(id) has \($0) steps in the store" } ?? "\(id) has ended in the store"
    case .leased(let id, _): "\(id) is busy with another server's request"
    }
  }
}
