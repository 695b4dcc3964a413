import Scheduling

/// Has a Redis run scripts.
struct ScriptRunner: Sendable {
  /// How long whoever asks waits: less than `Sessions` would, so that it is told what is known.
  static let patience = Duration.seconds(4)

  let client: RedisClient
  let health: RedisHealth

  /// Tells what the script returns, or why it does not, on the client's thread.
  ///
  /// - Parameters:
  ///   - isWrite: whether it matters whether it has run, where its answer is lost.
  ///   - waits: whether it waits as long as it takes.
  func run(
    _ body: RedisRequest.Body, isWrite: Bool = false, waits: Bool = false,
    completion: @escaping @Sendable (Result<RESPValue, RedisProblem>) -> Void = { _ in }
  ) {
    client.ask(
      RedisRequest(body, due: waits ? nil : .now + Self.patience, isWrite: isWrite) {
        [health] result in
        health.note(result, isOfWrite: isWrite)
        completion(result)
      })
  }

  /// Runs a script over leases, some at a time, so that it keeps nobody else waiting for long.
  func run(
    _ script: RedisScript, over leases: [SessionLeases.Held], _ arguments: [[UInt8]]
  ) {
    for begin in stride(from: 0, to: leases.count, by: 256) {
      let some = leases[begin..<min(begin + 256, leases.count)]
      run(
        .script(
          script,
          keys: some.flatMap { [SessionKeys.session($0.key), SessionKeys.lease($0.key)] },
          arguments: arguments + some.map(\.token.bytes)))
    }
  }
}
