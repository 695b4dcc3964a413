import Inference
import Synchronization

@testable import Scheduling
@testable import SessionStores

/// A Redis, and stores of several processes.
final class RedisRoom: Sendable {
  let server: RedisServer
  let reports = Mutex<[String]>([])

  init(_ server: RedisServer = RedisServer()) { self.server = server }

  func store(
    _ durability: SessionDurability = .answer, idle: Duration = .seconds(600),
    lease: Duration = .seconds(300), maxKeptBytes: Int = 1 << 20, replicas: Int = 0,
    served: [(name: String, fingerprint: String)] = [("m", "m")], user: String? = nil,
    password: String? = nil, keys: [StateKey] = [], client limits: RedisClient.Limits? = nil
  ) throws(RedisProblem) -> RedisSessionStore {
    // Starved machines take their time; what ends early is asked for by the tests that are about it.
    var client = RedisClient.Limits()
    client.connect = .seconds(60)
    client.stall = .seconds(60)
    client.patience = .seconds(60)
    return try RedisSessionStore(
      RedisLocation(host: "127.0.0.1", port: server.port, user: user, password: password),
      durability: durability,
      limits: RedisSessionLimits(
        idleTimeout: idle, lease: lease, patience: .seconds(60), maxKeptBytes: maxKeptBytes,
        replicas: replicas),
      client: limits ?? client, sealing: StateSealing(keys), served: served,
      report: { report in self.reports.withLock { $0.append(report) } })
  }
}

extension Result {
  var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}

extension Result<[SessionFinding], SessionStoreProblem> {
  /// The state of the one session that was found.
  var state: SequenceState? {
    guard case .success(let findings) = self, case .session(let record, _) = findings.first else {
      return nil
    }
    return record.state
  }
}

extension SessionStore {
  func make(_ moves: SessionMove...) async -> SessionStoreProblem? {
    await withCheckedContinuation { continuation in
      write(moves) { continuation.resume(returning: $0.failure) }
    }
  }

  func take(
    _ ids: String..., sources: [String] = [], floatCount: Int = 3, freesOnly: Bool = false
  ) async -> Result<[SessionFinding], SessionStoreProblem> {
    await withCheckedContinuation { continuation in
      take(
        ids.map { .init(model: "m", id: $0) }, beside: sources.map { .init(model: "m", id: $0) },
        floatCount: floatCount, freesOnly: freesOnly
      ) { continuation.resume(returning: $0) }
    }
  }

  /// What is there, its steps and version where it is a session whose floats are its own.
  func look(
    _ id: String, model: String = "m", floatCount: Int = 3
  ) async -> (finding: SessionFinding?, steps: Int?, version: Int) {
    let result = await withCheckedContinuation { continuation in
      fetch([.init(model: model, id: id)], floatCount: floatCount) {
        continuation.resume(returning: $0)
      }
    }
    let finding = (try? result.get())?.first
    guard case .session(let record, let version) = finding,
      record.state == StoreRoom.state(record.state.position, floats: floatCount)
    else { return (finding, nil, 0) }
    return (finding, record.state.position, version)
  }

  /// The ids of the sessions there are, in alphabetical order.
  func names() async -> [String] {
    await withCheckedContinuation { continuation in
      list(of: "m", limit: 100) { result in
        continuation.resume(returning: ((try? result.get())?.listings ?? []).map(\.id).sorted())
      }
    }
  }

  @discardableResult
  func end() async -> Bool {
    await withCheckedContinuation { continuation in
      close { continuation.resume(returning: $0) }
    }
  }
}
