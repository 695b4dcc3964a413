import Scheduling

/// A script that Redis runs, known to it by its SHA-1 once it is loaded.
struct RedisScript: Sendable, Equatable {
  let name: String
  let text: String
}

/// What a Redis is asked: a command, or a script with its keys and arguments.
///
/// All that is asked can be asked again: a script tells by its token whether it has run before.
struct RedisRequest: Sendable {
  enum Body: Sendable {
    case command([[UInt8]])
    case script(RedisScript, keys: [[UInt8]], arguments: [[UInt8]])
  }

  let body: Body
  /// When whoever asks stops waiting; nil where it waits as long as it takes.
  let due: ContinuousClock.Instant?
  /// Whether it changes what is there, so that it matters whether it has been done.
  let isWrite: Bool
  /// Whether replicas have to have it, too, before it counts as done.
  let needsReplicas: Bool
  /// Whether it is asked of a node of a cluster that is about to get the key's slot (ASKING).
  let isAsking: Bool
  let completion: @Sendable (Result<RESPValue, RedisProblem>) -> Void
  let asked = ContinuousClock.now
  /// About what it takes on its way.
  let byteCount: Int
  /// Whether it went out over a connection that was lost then.
  var mayBeDone = false
  /// Whether the script itself is sent, as Redis does not have it.
  var sendsScript = false

  init(
    _ body: Body, due: ContinuousClock.Instant?, isWrite: Bool = false,
    needsReplicas: Bool = false, isAsking: Bool = false,
    completion: @escaping @Sendable (Result<RESPValue, RedisProblem>) -> Void
  ) {
    self.body = body
    self.due = due
    self.isWrite = isWrite
    self.needsReplicas = needsReplicas
    self.isAsking = isAsking
    self.completion = completion
    switch body {
    case .command(let parts): byteCount = parts.reduce(64) { $0 + $1.count + 16 }
    case .script(_, let keys, let arguments):
      byteCount = keys.reduce(arguments.reduce(128) { $0 + $1.count + 16 }) { $0 + $1.count + 16 }
    }
  }

  /// The key by which a cluster's node is found that has all of its keys.
  var firstKey: [UInt8] {
    switch body {
    case .command(let parts): parts.count > 1 ? parts[1] : []
    case .script(_, let keys, _): keys.first ?? []
    }
  }

  /// - Parameter hashes: the SHA-1 of each script, by its name.
  func append(to output: inout [UInt8], hashes: [String: [UInt8]]) {
    if isAsking { RESPCommand.append([Array("ASKING".utf8)], to: &output) }
    switch body {
    case .command(let parts): RESPCommand.append(parts, to: &output)
    case .script(let script, let keys, let arguments):
      RESPCommand.appendHead(3 + keys.count + arguments.count, to: &output)
      if !sendsScript, let hash = hashes[script.name] {
        RESPCommand.append(Array("EVALSHA".utf8), to: &output)
        RESPCommand.append(hash, to: &output)
      } else {
        RESPCommand.append(Array("EVAL".utf8), to: &output)
        RESPCommand.append(Array(script.text.utf8), to: &output)
      }
      RESPCommand.append(Array("\(keys.count)".utf8), to: &output)
      for key in keys { RESPCommand.append(key, to: &output) }
      for argument in arguments { RESPCommand.append(argument, to: &output) }
    }
  }

  /// Tells whoever asked that it was not done, or that this is not known.
  func refuse(_ problem: RedisProblem) {
    completion(.failure(mayBeDone && isWrite ? .unsure(problem.reason) : problem))
  }
}
