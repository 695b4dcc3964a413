import Inference
import TestSupport
import Testing

@testable import Scheduling
@testable import SessionStores

/// Sessions that a process keeps between requests, as it moves them again and again, with a real Redis.
@Suite(.enabled(if: RedisServer.isInstalled, "redis-server is not installed"))
struct KeptSessionsTests {
  private static let key = SessionTable.Key(model: "m", id: "s")

  /// A step of the session as a request makes it; returns what it went on from, or what the store says.
  private func step(
    _ store: RedisSessionStore, ends: Bool = false
  ) async -> (steps: Int?, wasKept: Bool, problem: SessionStoreProblem?) {
    let kept = store.takeKept([Self.key], beside: [], floatCount: 3)
    let found: [SessionFinding]
    if let kept {
      found = kept
    } else {
      switch await store.take("s") {
      case .failure(let problem): return (nil, false, problem)
      case .success(let findings): found = findings
      }
    }
    guard case .session(let record, let version) = found.first,
      record.state == StoreRoom.state(record.state.position)
    else { return (nil, kept != nil, .failing(reason: "\(found)")) }
    let move = StoreRoom.move("s", from: version, steps: record.state.position + 1, ends: ends)
    return (record.state.position, kept != nil, await store.make(move))
  }

  /// Begins the session, and moves it until it is kept.
  private func keep(_ store: RedisSessionStore) async -> Int {
    #expect(await store.make(StoreRoom.move("s", from: 0, steps: 1)) == nil)
    for steps in 1..<RedisMoves.runBeforeKeeping {
      let made = await step(store)
      #expect(made.steps == steps && !made.wasKept && made.problem == nil)
    }
    return RedisMoves.runBeforeKeeping
  }

  @Test func oneRoundTripAStep() async throws {
    let room = RedisRoom()
    let store = try room.store()
    let begun = await keep(store)
    for steps in begun..<begun + 20 {
      let made = await step(store)
      #expect(made.steps == steps && made.wasKept && made.problem == nil)
    }
    #expect(await store.look("s").steps == begun + 20)
    // A request that fails leaves it kept.
    #expect(store.takeKept([Self.key], beside: [], floatCount: 3) != nil)
    #expect(store.takeKept([Self.key], beside: [], floatCount: 3) == nil)
    store.release([Self.key])
    #expect(await step(store).wasKept)
    // Beside a session that is copied all are asked for.
    #expect(
      store.takeKept([Self.key], beside: [.init(model: "m", id: "t")], floatCount: 3) == nil)
    #expect(await step(store, ends: true).wasKept)
    #expect(await store.look("s").finding == .ended(.ended))
    #expect(room.server.ask("EXISTS carousel:l:{m/s}") == ":0\r\n")
    await store.end()
  }

  /// It is given back at once where nobody uses it, else behind its request's move; then whoever moves it again and again keeps it.
  @Test func anotherProcessWantsIt() async throws {
    let room = RedisRoom()
    let (one, other) = (try room.store(), try room.store())
    var steps = await keep(one)
    let refused = await other.take("s")
    #expect(refused == .failure(.leased(id: "s", isUsed: false)))
    var made = await step(other)
    let end = ContinuousClock.now + patience
    while made.problem != nil, .now < end { made = await step(other) }
    #expect(made.steps == steps && made.problem == nil)
    steps += 1
    #expect(one.takeKept([Self.key], beside: [], floatCount: 3) == nil)
    for _ in 0..<RedisMoves.runBeforeKeeping {
      #expect(await step(other).steps == steps)
      steps += 1
    }
    let kept = other.takeKept([Self.key], beside: [], floatCount: 3)
    guard case .session(_, let version) = kept?.first else {
      Issue.record("not kept")
      return
    }
    // Used: whoever asks is told so, once the process has heard of it.
    #expect(await one.take("s") == .failure(.leased(id: "s", isUsed: false)))
    var answer = await one.take("s")
    while answer == .failure(.leased(id: "s", isUsed: false)), .now < end {
      answer = await one.take("s")
    }
    #expect(answer == .failure(.leased(id: "s", isUsed: true)))
    #expect(await other.make(StoreRoom.move("s", from: version, steps: steps + 1)) == nil)
    made = await step(one)
    #expect(made.steps == steps + 1 && made.problem == nil)
    await one.end()
    await other.end()
  }

  /// Whoever hears of nobody who wants a session keeps none.
  @Test func withoutMessagesNothingIsKept() async throws {
    let room = RedisRoom()
    room.server.ask("ACL SETUSER deaf on >word allkeys allcommands resetchannels")
    let (deaf, other) = (try room.store(user: "deaf", password: "word"), try room.store())
    #expect(await deaf.make(StoreRoom.move("s", from: 0, steps: 1)) == nil)
    for _ in 0..<2 * RedisMoves.runBeforeKeeping {
      let made = await step(deaf)
      #expect(made.problem == nil && !made.wasKept)
    }
    // It can't ask for what others keep either, and gets it when the lease ends.
    for _ in 0...RedisMoves.runBeforeKeeping { #expect(await step(other).problem == nil) }
    #expect(await deaf.take("s") == .failure(.leased(id: "s", isUsed: false)))
    room.server.ask("DEL carousel:l:{m/s}")
    #expect(await step(deaf).problem == nil)
    await deaf.end()
    await other.end()
  }

  /// Nobody is heard over a lost connection: what was kept is taken anew, at once.
  @Test func theConnectionIsLost() async throws {
    let room = RedisRoom()
    let store = try room.store()
    let steps = await keep(store)
    room.server.ask("CLIENT KILL TYPE normal SKIPME yes")
    room.server.ask("CLIENT KILL TYPE pubsub SKIPME yes")
    try await eventually { store.takeKept([Self.key], beside: [], floatCount: 3) == nil }
    try await eventually { store.client.isSubscribed }
    let made = await step(store)
    #expect(made.steps == steps && made.problem == nil && !made.wasKept)
    #expect(await step(store).wasKept)
    await store.end()
  }

  /// Redis forgot the lease, and another process moved the session: versions see to it that no step is lost.
  @Test func aLeaseThatIsLost() async throws {
    let room = RedisRoom()
    let (one, other) = (try room.store(), try room.store())
    let steps = await keep(one)
    room.server.ask("DEL carousel:l:{m/s}")
    #expect(await step(other).steps == steps)
    let made = await step(one)
    #expect(made.wasKept && made.problem == .moved(id: "s", steps: steps + 1))
    #expect(await step(one).steps == steps + 1)
    await one.end()
    await other.end()
  }

  /// Kept ones run out like any lease, and those of which too much is kept are given back.
  @Test func boundsOfWhatIsKept() async throws {
    let room = RedisRoom()
    let store = try room.store(lease: .milliseconds(300))
    _ = await keep(store)
    try await eventually { room.server.ask("EXISTS carousel:l:{m/s}") == ":0\r\n" }
    try await eventually { store.keeper.withLeases { $0.all } == [] }
    #expect(await step(store).problem == nil)
    await store.end()
    let small = try room.store(maxKeptBytes: 10)
    for _ in 0...RedisMoves.runBeforeKeeping { #expect(await step(small).wasKept == false) }
    try await eventually { room.server.ask("EXISTS carousel:l:{m/s}") == ":0\r\n" }
    await small.end()
    // Where sessions expire sooner than leases, none is kept.
    let brief = try room.store(idle: .seconds(599))
    for _ in 0...RedisMoves.runBeforeKeeping { #expect(await step(brief).wasKept == false) }
    await brief.end()
  }

  /// A step whose answer is lost is asked again, and counts once.
  @Test func aStepThatWasMadeIsNotMadeAgain() async throws {
    let room = RedisRoom()
    let store = try room.store()
    var steps = await keep(store)
    for _ in 0..<40 {
      async let made = step(store)
      room.server.ask("CLIENT KILL TYPE pubsub SKIPME yes")
      #expect(await made.problem == nil)
      steps += 1
      #expect(await store.look("s").steps == steps)
    }
    await store.end()
  }

  /// A step renews the session's life, though it lists the session as used only now and then; and what is not listed as used has
  /// not expired.
  @Test func whatIsUsedIsThere() async throws {
    let room = RedisRoom()
    let store = try room.store(idle: .seconds(100_000))
    _ = await keep(store)
    room.server.ask("PEXPIRE carousel:s:{m/s} 1000000")
    room.server.ask("ZADD carousel:i:m 1 s")
    let made = await step(store)
    #expect(made.wasKept && made.problem == nil)
    let life = Int(room.server.ask("PTTL carousel:s:{m/s}").dropFirst().dropLast(2)) ?? 0
    #expect(life > 1_000_000)
    try await eventually { room.server.ask("ZSCORE carousel:i:m s") != "$1\r\n1\r\n" }
    #expect(store.statistics.endCounts == [:])
    #expect(await store.names() == ["s"])
    await store.end()
  }
}
