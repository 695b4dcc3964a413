import Scheduling

/// Moves that a Redis has made, and that count as done once so many of its replicas have them, too.
///
/// Behind the requests of a turn goes one WAIT, which covers all that this connection wrote before: so a turn waits once, however many moves it
/// has. What Redis has made stays here until that is answered. Pure: it sends nothing.
struct ReplicaWaits {
  /// How many replicas have to have a move; 0 where nothing waits for them.
  let replicas: Int
  /// For how long Redis waits for them.
  let patience: Duration
  private var made: [(request: RedisRequest, reply: RESPValue)] = []
  /// Whether a move has gone out behind the last WAIT.
  private var isDue = false

  init(replicas: Int, patience: Duration) {
    self.replicas = replicas
    self.patience = patience
  }

  mutating func noteSent(_ request: RedisRequest) {
    if replicas > 0, request.needsReplicas { isDue = true }
  }

  /// What goes out behind a turn's requests; nil where no move is among them.
  mutating func question() -> RedisRequest? {
    guard isDue else { return nil }
    isDue = false
    return RedisRequest(
      .command(["WAIT", "\(replicas)", "\(patience.wholeMilliseconds)"].map { Array($0.utf8) }),
      due: nil
    ) { _ in }
  }

  /// Whether a request that has been answered stays here until the WAIT behind it is answered. Only a script that made its moves
  /// answers with a number; one that refused them has written nothing to wait for.
  mutating func keep(_ request: RedisRequest, _ reply: RESPValue) -> Bool {
    guard replicas > 0, request.needsReplicas, case .integer = reply else { return false }
    made.append((request, reply))
    return true
  }

  /// The answer to a WAIT has come: what is told to those whose moves it covers.
  mutating func settle(
    _ answer: RESPValue
  ) -> [(request: RedisRequest, result: Result<RESPValue, RedisProblem>)] {
    defer { made = [] }
    let problem: RedisProblem?
    switch answer {
    case .integer(let count) where count >= replicas: problem = nil
    case .integer(let count):
      problem = .unreplicated(
        "it has made the move, and \(max(0, count)) of \(replicas) replicas (session_store_replicas) have it"
      )
    case .error(let text):
      problem = .unreplicated(
        "it has made the move, and can't say whether replicas have it: \(text)")
    case .simple, .bytes, .null, .array, .push: problem = .unsure(RedisProblem.malformed.reason)
    }
    return made.map { request, reply in
      (request, problem.map { .failure($0) } ?? .success(reply))
    }
  }

  /// What has been made over a connection that is lost, to be asked again: another connection's WAIT does not cover it.
  mutating func takeBack() -> [RedisRequest] {
    defer { (made, isDue) = ([], false) }
    return made.map(\.request)
  }
}
