import Scheduling

/// What running a script shows of a Redis, in rising order: one that is full does the first two.
enum ScriptEffect: Int, Sendable, Comparable {
  case reads
  /// It writes, and takes no more memory.
  case frees
  case leases
  case moves

  static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Has a Redis run scripts.
struct ScriptRunner: Sendable {
  let client: any RedisAsking
  let names: SessionKeys
  let health: RedisHealth

  /// Tells what the script returns, or why it does not, on the client's thread.
  ///
  /// - Parameters:
  ///   - isWrite: whether it matters whether it has run, where its answer is lost; then replicas have to have it, too, where that is asked.
  ///   - waits: whether it waits as long as it takes.
  func run(
    _ body: RedisRequest.Body, _ effect: ScriptEffect, isWrite: Bool = false, waits: Bool = false,
    completion: @escaping @Sendable (Result<RESPValue, RedisProblem>) -> Void = { _ in }
  ) {
    client.ask(
      RedisRequest(
        body, due: waits ? nil : .now + client.limits.patience, isWrite: isWrite,
        needsReplicas: isWrite
      ) { [health] result in
        health.note(result, effect)
        completion(result)
      })
  }

  /// What a script was run over, and what it returned.
  typealias Report = @Sendable ([SessionLeases.Held], Result<RESPValue, RedisProblem>) -> Void

  /// Runs a script that frees memory over leases, some at a time, so that it keeps nobody else waiting for long.
  func run(
    _ script: RedisScript, over leases: [SessionLeases.Held], _ arguments: [[UInt8]],
    completion: @escaping Report = { _, _ in }
  ) {
    let parts = names.divided(leases, by: \.key).flatMap { part in
      stride(from: 0, to: part.count, by: 256).map { Array(part[$0..<min($0 + 256, part.count)]) }
    }
    for some in parts {
      run(
        .script(
          script,
          keys: some.flatMap { [names.session($0.key), names.lease($0.key)] },
          arguments: arguments + some.map(\.token.bytes)), .frees
      ) { completion(some, $0) }
    }
  }
}
