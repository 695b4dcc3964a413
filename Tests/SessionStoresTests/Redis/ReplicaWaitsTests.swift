import Synchronization
import TestSupport
import Testing

@testable import Scheduling
@testable import SessionStores

/// Moves that count as done once replicas have them.
@Suite struct ReplicaWaitsTests {
  private func request(needsReplicas: Bool = true) -> RedisRequest {
    RedisRequest(
      .command([Array("\(Int.random(in: 0..<1 << 30))".utf8)]), due: nil,
      needsReplicas: needsReplicas
    ) { _ in }
  }

  private func waits(_ replicas: Int = 2) -> ReplicaWaits {
    ReplicaWaits(replicas: replicas, patience: .milliseconds(250))
  }

  @Test func oneWaitATurn() {
    var waits = waits()
    #expect(waits.question() == nil)
    waits.noteSent(request(needsReplicas: false))
    #expect(waits.question() == nil)
    for _ in 0..<3 { waits.noteSent(request()) }
    guard case .command(let parts)? = waits.question()?.body else {
      Issue.record("no WAIT")
      return
    }
    #expect(parts.map { String(decoding: $0, as: UTF8.self) } == ["WAIT", "2", "250"])
    #expect(waits.question() == nil)
  }

  @Test func nothingWaitsWhereNoReplicasAreAskedFor() {
    var waits = waits(0)
    waits.noteSent(request())
    #expect(waits.question() == nil)
    let isKept = waits.keep(request(), .integer(0))
    #expect(!isKept)
  }

  @Test func whatTheAnswerMeans() {
    for (answer, isWell) in [
      (RESPValue.integer(1), false), (.integer(2), true), (.integer(3), true),
      (.error("NOPERM"), false), (.null, false),
    ] {
      var waits = waits()
      let kept = [
        waits.keep(request(needsReplicas: false), .integer(0)),
        waits.keep(request(), .integer(0)), waits.keep(request(), .integer(1)),
      ]
      #expect(kept == [false, true, true])
      let told = waits.settle(answer).map(\.result)
      #expect(told.count == 2)
      #expect(told.map { (try? $0.get()) != nil } == [isWell, isWell])
      if !isWell, case .failure(let problem)? = told.first {
        guard case .unsure = problem.asStoreProblem else {
          Issue.record("\(problem)")
          return
        }
      }
      #expect(waits.settle(answer).isEmpty)
    }
  }

  @Test func whatALostConnectionLeaves() {
    var waits = waits()
    waits.noteSent(request())
    _ = waits.keep(request(), .integer(0))
    #expect(waits.takeBack().count == 1)
    #expect(waits.takeBack().isEmpty)
    #expect(waits.question() == nil)
  }

  @Test func aWarningOfTooFew() {
    var facts = RedisServerFacts(info: "connected_slaves:1\r\n")
    #expect(RedisFitness.warnings(facts, replicas: 1) == [])
    #expect(RedisFitness.warnings(facts, replicas: 2).count == 1)
    facts.info = ["maxmemory": "5", "maxmemory_policy": "allkeys-lru"]
    #expect(RedisFitness.warnings(facts, replicas: 1).count == 2)
  }

  // MARK: - A Redis with a replica

  /// A Redis whose replica follows it.
  private func pair() async throws -> (RedisRoom, RedisServer) {
    let room = RedisRoom()
    let replica = RedisServer("--replicaof 127.0.0.1 \(room.server.port)")
    try await eventually { room.server.ask("INFO replication").contains("state=online") }
    return (room, replica)
  }

  private static let isThere = RedisServer.isInstalled

  /// When an answer leaves, the replica has the move.
  @Test(.enabled(if: isThere, "redis-server is not installed"))
  func theReplicaHasWhatIsAnswered() async throws {
    let (room, replica) = try await pair()
    var client = RedisClient.Limits()
    (client.stall, client.patience, client.replicas) = (.seconds(60), .seconds(60), .seconds(30))
    let store = try room.store(replicas: 1, client: client)
    #expect(room.reports.withLock { $0 } == [])
    #expect(await store.make(StoreRoom.move("s", from: 0, steps: 1)) == nil)
    #expect(replica.ask("EXISTS carousel:s:{m/s}") == ":1\r\n")
    var version = await store.look("s").version
    for steps in 2...6 {
      // From the third on, the lease is kept, and another script makes them.
      _ = await store.take("s")
      #expect(await store.make(StoreRoom.move("s", from: version, steps: steps)) == nil)
      version += 1
      #expect(
        replica.ask("GETRANGE carousel:s:{m/s} 8 8")
          == "$1\r\n\(Character(UnicodeScalar(UInt8(steps))))\r\n")
    }
    // Many at once share their waits, and all are answered.
    await withTaskGroup { group in
      for index in 0..<200 {
        group.addTask {
          #expect(await store.make(StoreRoom.move("n\(index)", from: 0, steps: 1)) == nil)
          #expect(replica.ask("EXISTS carousel:s:{m/n\(index)}") == ":1\r\n")
        }
      }
    }
    await store.end()
  }

  /// A replica that is stopped: moves are made, and are not confirmed; it goes on, and so do they.
  @Test(.enabled(if: isThere, "redis-server is not installed"))
  func aReplicaThatIsStopped() async throws {
    let (room, replica) = try await pair()
    var client = RedisClient.Limits()
    (client.stall, client.patience, client.replicas) = (
      .seconds(60), .seconds(60), .milliseconds(50)
    )
    let store = try room.store(replicas: 1, client: client)
    replica.hold(true)
    let problem = await store.make(StoreRoom.move("s", from: 0, steps: 1))
    guard case .unsure(let reason) = problem else {
      Issue.record("\(String(describing: problem))")
      replica.hold(false)
      return
    }
    #expect(reason.contains("0 of 1 replicas"))
    #expect(room.reports.withLock { $0 }.contains { $0.hasPrefix("fails: it has made the move") })
    #expect(store.statistics.isFailing)
    // It is made: the next request is told so, by its version and its steps.
    let (_, steps, version) = await store.look("s")
    #expect(steps == 1)
    #expect(
      await store.make(StoreRoom.move("s", from: 0, steps: 1)) == .moved(id: "s", steps: 1))
    // What only looks, and what ends leases, waits for nobody.
    #expect(await store.names() == ["s"])
    replica.hold(false)
    try await eventually { room.server.ask("WAIT 1 1000") == ":1\r\n" }
    // A busy machine's replica may need more than these 50 ms.
    var last = version
    for steps in 2...200 {
      let problem = await store.make(StoreRoom.move("s", from: last, steps: steps))
      last += 1
      if problem == nil { break }
    }
    #expect(!store.statistics.isFailing)
    #expect(room.reports.withLock { $0 }.last == "works again")
    await store.end()
  }

  /// A connection that is lost while the replica is waited for: the move has been made, and is asked for again; that waits for the replica, too.
  @Test(.enabled(if: isThere, "redis-server is not installed"), arguments: [false, true])
  func aConnectionLostMeanwhile(isKept: Bool) async throws {
    let (room, replica) = try await pair()
    var client = RedisClient.Limits()
    (client.stall, client.patience, client.replicas) = (.seconds(600), .seconds(600), .seconds(300))
    let store = try room.store(replicas: 1, client: client)
    #expect(await store.make(StoreRoom.move("s", from: 0, steps: 1)) == nil)
    var (version, steps) = (await store.look("s").version, 1)
    if isKept {
      for _ in 0..<4 {
        _ = await store.take("s")
        steps += 1
        #expect(await store.make(StoreRoom.move("s", from: version, steps: steps)) == nil)
        version += 1
      }
    }
    replica.hold(true)
    let isBlocked = { room.server.ask("INFO clients").contains("blocked_clients:1") }
    let outcome = Mutex<(isThere: Bool, problem: SessionStoreProblem?)>((false, nil))
    let (last, next) = (version, steps + 1)
    let task = Task {
      let problem = await store.make(StoreRoom.move("s", from: last, steps: next))
      outcome.withLock { $0 = (true, problem) }
    }
    try await eventually(isBlocked)
    let before = room.server.ask("CLIENT LIST TYPE normal")
    room.server.ask("CLIENT KILL TYPE normal")
    try await eventually {
      isBlocked() && room.server.ask("CLIENT LIST TYPE normal") != before
    }
    #expect(!outcome.withLock { $0.isThere })
    replica.hold(false)
    await task.value
    #expect(outcome.withLock { $0.problem } == nil)
    #expect(await store.look("s").steps == next)
    #expect(
      replica.ask("GETRANGE carousel:s:{m/s} 8 8")
        == "$1\r\n\(Character(UnicodeScalar(UInt8(next))))\r\n"
    )
    await store.end()
  }
}
