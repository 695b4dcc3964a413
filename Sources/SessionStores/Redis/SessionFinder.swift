import Inference
import Scheduling

/// Looks sessions up in a Redis.
struct SessionFinder: Sendable {
  /// A session as a script found it.
  struct Found: Sendable {
    let finding: SessionFinding
    /// Nil where it is not there.
    let entry: RedisEntry?
  }

  /// What is looked up, and whether with its lease.
  enum Mode: String {
    case lease = "l"
    /// The same for a request that only frees memory, which a Redis does that is full.
    case leaseToFree = "f"
    /// Where no other process has it.
    case read = "r"
    /// In any case.
    case peek = "p"

    var effect: ScriptEffect {
      switch self {
      case .lease: .leases
      case .leaseToFree: .frees
      case .read, .peek: .reads
      }
    }
  }

  let runner: ScriptRunner
  let codec: StateCodec
  let limits: RedisSessionLimits
  /// Called where a session has ended, as its entry is damaged.
  let noteDamage: @Sendable () -> Void

  typealias Asked = (key: SessionTable.Key, mode: Mode)
  typealias Completion = @Sendable (Result<[Found], SessionStoreProblem>) -> Void

  /// Looks sessions up, those that one script can reach together, and then the next; it ends where that fails.
  ///
  /// - Parameters:
  ///   - namesakes: other models that have had the model's name.
  ///   - token: of the leases.
  func find(
    _ keys: [Asked], namesakes: [String], token: RedisToken, floatCount: Int,
    completion: @escaping Completion
  ) {
    let parts = runner.names.divided(keys, by: \.key)
    guard parts.count > 1 else {
      return findTogether(
        keys, namesakes: namesakes, token: token, floatCount: floatCount, completion: completion)
    }
    let order = keys.map(\.key)
    @Sendable func find(_ parts: ArraySlice<[Asked]>, behind found: [SessionTable.Key: Found]) {
      guard let part = parts.first else {
        return completion(.success(order.compactMap { found[$0] }))
      }
      findTogether(part, namesakes: namesakes, token: token, floatCount: floatCount) { result in
        switch result {
        case .failure(let problem): completion(.failure(problem))
        case .success(let some):
          find(
            parts.dropFirst(),
            behind: found.merging(zip(part.map(\.key), some), uniquingKeysWith: { $1 }))
        }
      }
    }
    find(parts[...], behind: [:])
  }

  private func findTogether(
    _ keys: [Asked], namesakes: [String], token: RedisToken, floatCount: Int,
    completion: @escaping Completion
  ) {
    let others = keys.flatMap { key, _ in
      namesakes.map { runner.names.session(.init(model: $0, id: key.id)) }
    }
    let names = keys.map(\.key)
    runner.run(
      .script(
        SessionScripts.take, keys: names.flatMap { runner.names.all(of: $0) } + others,
        arguments: [
          token.bytes, limits.leaseMilliseconds, limits.idleMilliseconds,
          Array("\(namesakes.count)".utf8),
        ] + keys.flatMap { [Array($0.key.id.utf8), Array($0.mode.rawValue.utf8)] }),
      keys.map(\.mode.effect).max() ?? .reads
    ) { result in
      completion(
        Result { () throws(SessionStoreProblem) in
          try read(result, of: names, floatCount: floatCount)
        })
    }
  }

  private func read(
    _ result: Result<RESPValue, RedisProblem>, of keys: [SessionTable.Key], floatCount: Int
  ) throws(SessionStoreProblem) -> [Found] {
    let reply: RESPValue
    do throws(RedisProblem) { reply = try result.get() } catch { throw error.asStoreProblem }
    let parts = reply.elements ?? []
    if parts.count == 2, case .integer(let index) = parts[0], case .integer(let isUsed) = parts[1],
      keys.indices.contains(index - 1)
    {
      throw .leased(id: keys[index - 1].id, isUsed: isUsed == 1)
    }
    guard parts.count == keys.count else { throw RedisProblem.malformed.asStoreProblem }
    var found: [Found] = []
    for (key, part) in zip(keys, parts) {
      found.append(try read(part.elements ?? [], of: key, floatCount: floatCount))
    }
    return found
  }

  private func read(
    _ parts: [RESPValue], of key: SessionTable.Key, floatCount: Int
  ) throws(SessionStoreProblem) -> Found {
    guard parts.count == 3, case .bytes(let bytes) = parts[0] else {
      let reason = parts.first?.number.flatMap {
        SessionEnd(rawValue: UInt8(truncatingIfNeeded: $0))
      }
      // Behind the reason: its key is of another type.
      if parts.count == 2 { end(key, version: []) }
      return Found(finding: reason.map { .ended($0) } ?? .unknown, entry: nil)
    }
    do throws(StateSealingError) {
      let entry = try RedisEntry(bytes, of: key, by: codec, floatCount: floatCount)
      let idle = limits.idleTimeout - .milliseconds(parts[1].number ?? 0)
      return Found(
        finding: .session(
          SessionTable.Record(
            key: key, state: entry.state, age: .milliseconds(max(0, parts[2].number ?? 0)),
            idle: max(.zero, idle)),
          version: entry.version), entry: entry)
    } catch {
      switch error {
      case .damaged:
        end(key, version: Array(bytes.prefix(8)))
        return Found(finding: .ended(.damaged), entry: nil)
      case .noKey(let missing): throw runner.health.noteMissingKey(missing, of: key)
      }
    }
  }

  /// Ends a session that was found to be of no use any more.
  private func end(_ key: SessionTable.Key, version: [UInt8]) {
    runner.run(
      .script(
        SessionScripts.damage,
        keys: [
          runner.names.session(key), runner.names.end(key), runner.names.index(of: key),
        ],
        arguments: [Array(key.id.utf8), version, limits.endsMilliseconds]), .frees
    ) { result in
      if case .success(.integer(1)) = result { noteDamage() }
    }
  }
}
