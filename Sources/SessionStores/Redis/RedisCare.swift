import Dispatch
import Scheduling

/// What a process does about a Redis each second, beside requests: it says which models are served, learns which were, has ends
/// remembered that Redis has made by itself, and looks what all takes.
struct RedisCare: Sendable {
  let client: RedisClient
  let limits: RedisSessionLimits
  let served: [(name: String, fingerprint: String)]
  let health: RedisHealth
  /// The store's, as long as it is there.
  let change: @Sendable ((inout RedisSessionStore.LockedState) -> Void) -> Void

  static let period = 1.0

  func run() {
    // Nobody waits for it.
    guard client.status.status == .ready else { return }
    if !served.isEmpty {
      let models = served.map { Array("\($0.fingerprint) \($0.name)".utf8) }
      ask(.script(SessionScripts.serve, keys: [SessionKeys.models], arguments: models)) { reply in
        if case .integer = reply { health.noteThatItTakesWrites() }
      }
    }
    ask(.command([Array("SMEMBERS".utf8), SessionKeys.models])) { reply in
      learn(models: (reply.elements ?? []).compactMap(\.text))
    }
    ask(.command([Array("INFO".utf8), Array("memory".utf8)])) { reply in
      let facts = RedisServerFacts(info: reply.text ?? "")
      change { state in
        state.statistics.fileBytes = facts.number("used_memory")
        state.statistics.maxBytes = facts.number("maxmemory")
      }
    }
  }

  private func ask(
    _ body: RedisRequest.Body, completion: @escaping @Sendable (RESPValue) -> Void
  ) {
    client.ask(
      RedisRequest(body, due: .now + client.limits.patience) { result in
        if case .success(let reply) = result { completion(reply) }
      })
  }

  private func learn(models: [String]) {
    var fingerprints: [String: Set<String>] = [:]
    for model in models {
      guard let space = model.firstIndex(of: " ") else { continue }
      fingerprints[String(model[model.index(after: space)...]), default: []]
        .insert(String(model[..<space]))
    }
    var namesakes: [String: [String]] = [:]
    for model in served {
      let others = fingerprints[model.name]?.subtracting([model.fingerprint]) ?? []
      namesakes[model.fingerprint, default: []] += others
    }
    change { [namesakes] state in state.namesakes = namesakes }
    for model in Set(fingerprints.values.joined()) { expire(model) }
  }

  private func expire(_ model: String) {
    let arguments = [
      Array(model.utf8), limits.idleMilliseconds,
      limits.endsMilliseconds,
    ]
    ask(
      .script(
        SessionScripts.expire, keys: [SessionKeys.index(ofModel: model)], arguments: arguments)
    ) { reply in
      guard let found = reply.elements?.compactMap(\.number), found.count == 3 else { return }
      change { state in
        if found[0] > 0 { state.statistics.endCounts[.expired, default: 0] += found[0] }
        state.statistics.usage[model] = RedisEntry.usage(found[1...])
      }
      if found[0] == 256 { expire(model) }
    }
  }
}
