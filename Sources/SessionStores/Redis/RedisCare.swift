import Dispatch
import Scheduling

/// What a process does about a Redis each second, beside requests: it says which models are served, learns which were, has ends
/// remembered that Redis has made by itself, and looks what all takes.
struct RedisCare: Sendable {
  let client: any RedisAsking
  let names: SessionKeys
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
    let servers = client.servers.map(\.location.places[0].description)
    for (server, name) in zip(client.servers, servers) {
      let memory = RedisRequest.Body.command([Array("INFO".utf8), Array("memory".utf8)])
      ask(memory, server) { reply in
        let facts = RedisServerFacts(info: reply.text ?? "")
        change { state in
          state.memory = state.memory.filter { servers.contains($0.key) }
          state.memory[name] = (facts.number("used_memory"), facts.number("maxmemory"))
          state.statistics.fileBytes = state.memory.values.reduce(0) { $0 + $1.used }
          state.statistics.maxBytes = state.memory.values.reduce(0) { $0 + $1.limit }
        }
      }
    }
  }

  private func ask(
    _ body: RedisRequest.Body, _ server: (any RedisAsking)? = nil,
    completion: @escaping @Sendable (RESPValue) -> Void
  ) {
    (server ?? client).ask(
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
    for model in Set(fingerprints.values.joined()) {
      for (group, index) in names.indexes(ofModel: model).enumerated() {
        expire(model, group, index)
      }
    }
  }

  private func expire(_ model: String, _ group: Int, _ index: SessionKeys.Index) {
    let arguments = index.affixes + [limits.idleMilliseconds, limits.endsMilliseconds]
    ask(.script(SessionScripts.expire, keys: [index.name], arguments: arguments)) { reply in
      guard let found = reply.elements?.compactMap(\.number), found.count == 3 else { return }
      change { state in
        if found[0] > 0 { state.statistics.endCounts[.expired, default: 0] += found[0] }
        state.groups[model, default: [:]][group] = RedisEntry.usage(found[1...])
        var usage = SessionTable.Usage()
        for part in state.groups[model, default: [:]].values { usage += part }
        state.statistics.usage[model] = usage
      }
      if found[0] == 256 { expire(model, group, index) }
    }
  }
}
