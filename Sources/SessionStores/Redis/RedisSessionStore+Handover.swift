import Inference
import Scheduling

/// How sessions come into a Redis that were kept elsewhere.
extension RedisSessionStore {
  package func takeOver(
    _ items: [SessionHandover],
    completion: @escaping @Sendable (Result<[HandoverOutcome], SessionStoreProblem>) -> Void
  ) {
    precondition(!items.isEmpty, "nothing to take over")
    let answers = Answers<HandoverOutcome>(count: items.count, completion: completion)
    for (index, item) in items.enumerated() {
      runner.run(handover(of: item), .moves, isWrite: true) { result in
        answers.note(
          index,
          result.mapError(\.asStoreProblem).flatMap { reply in
            reply.number.flatMap { HandoverOutcome(rawValue: $0) }.map { .success($0) }
              ?? .failure(RedisProblem.malformed.asStoreProblem)
          })
      }
    }
  }

  private func handover(of item: SessionHandover) -> RedisRequest.Body {
    var arguments = [Array(item.key.id.utf8)]
    switch item {
    case .end(_, let reason):
      arguments += [Array("\(reason.rawValue)".utf8), limits.endsMilliseconds]
    case .session(let record, let version):
      let entry = RedisEntry(
        version: version, created: 0, token: keeper.makeToken(), run: 0, state: record.state)
      let life = max(1, (limits.idleTimeout - record.idle).wholeMilliseconds)
      arguments += [
        entry.bytes(of: record.key, by: codec), Array("\(life)".utf8), limits.idleMilliseconds,
        Array("\(max(0, record.age.wholeMilliseconds))".utf8),
      ]
    }
    return .script(
      SessionScripts.takeOver, keys: runner.names.all(of: item.key), arguments: arguments)
  }
}
