import Glibc
import Inference
import Synchronization
import TestSupport
import Testing

@testable import Scheduling
@testable import SessionStores

/// What a Redis keeps, tells and refuses, with a real one.
@Suite(.enabled(if: RedisServer.isInstalled, "redis-server is not installed"))
struct RedisSessionStoreTests {
  private typealias Key = SessionTable.Key

  private typealias Room = RedisRoom

  /// Over TLS, to a certificate of the authority and for the host alone.
  @Test func overTLS() async throws {
    func store(
      of certificate: String, _ server: RedisServer
    ) throws(RedisProblem) -> RedisSessionStore {
      var location = RedisLocation(host: "127.0.0.1", port: server.port)
      location.isSecure = true
      location.authorities = Fixtures.path("tls/\(certificate).pem")
      var client = RedisClient.Limits()
      client.connect = .seconds(60)
      return try RedisSessionStore(
        location, durability: .answer, limits: RedisSessionLimits(patience: .seconds(60)),
        client: client, report: { _ in })
    }
    func server(_ name: String) -> RedisServer {
      RedisServer(
        "--tls-cert-file '\(Fixtures.path("tls/\(name).pem"))'",
        "--tls-key-file '\(Fixtures.path("tls/\(name)-key.pem"))'", "--tls-auth-clients no",
        "--tls-ca-cert-file '\(Fixtures.path("tls/authority.pem"))'", isSecure: true)
    }
    let one = server("one")
    let well = try store(of: "authority", one)
    // More than a record holds.
    let large = SequenceState(position: 1, floats: (0..<100_000).map { Float($0) })
    let move = SessionMove(
      key: .init(model: "m", id: "s"), version: 0, state: large, isAnew: true, ends: false)
    #expect(await well.make(move) == nil)
    #expect(await well.take("s", floatCount: large.floats.count).state == large)
    await well.end()
    #expect {
      _ = try store(of: "stranger", one)
    } throws: {
      ($0 as? RedisProblem)?.reason.contains("its certificate is not accepted") == true
    }
    let two = server("two")
    #expect {
      _ = try store(of: "authority", two)
    } throws: {
      ($0 as? RedisProblem)?.reason.contains("its certificate is not accepted") == true
    }
  }

  private static func move(
    _ id: String, from version: Int, steps: Int, ends: Bool = false
  ) -> SessionMove { StoreRoom.move(id, from: version, steps: steps, ends: ends) }

  @Test(arguments: [SessionDurability.answer, .behind])
  func statesAreThereForEveryProcess(durability: SessionDurability) async throws {
    let room = Room()
    for round in 1...4 {
      let store = try room.store(durability)
      let before = await store.look("s")
      #expect(before.steps == (round == 1 ? nil : round - 1))
      #expect(await store.make(Self.move("s", from: before.version, steps: round)) == nil)
      #expect(await store.end())
    }
  }

  /// Compare and set: whoever believes in another version moves nothing, and learns the steps.
  @Test func noUpdateIsLost() async throws {
    let room = Room()
    let (one, other) = (try room.store(), try room.store())
    #expect(await one.make(Self.move("s", from: 0, steps: 1)) == nil)
    #expect(await other.make(Self.move("s", from: 0, steps: 5)) == .moved(id: "s", steps: 1))
    let version = await other.look("s").version
    #expect(await other.make(Self.move("s", from: version, steps: 2)) == nil)
    #expect(await one.make(Self.move("s", from: version, steps: 9)) == .moved(id: "s", steps: 2))
    #expect(
      await one.make(Self.move("s", from: version, steps: 9, ends: true))
        == .moved(id: "s", steps: 2))
    #expect(await one.make(Self.move("t", from: 3, steps: 9)) == .moved(id: "t", steps: nil))
    #expect(await one.look("s").steps == 2)
    #expect(await one.look("t").finding == .unknown)
    // An id that is used anew never has a version of the old session.
    let last = await one.look("s").version
    #expect(await one.make(Self.move("s", from: last, steps: 3, ends: true)) == nil)
    #expect(await one.make(Self.move("s", from: 0, steps: 1)) == nil)
    #expect(await other.make(Self.move("s", from: last, steps: 3)) == .moved(id: "s", steps: 1))
    await one.end()
    await other.end()
  }

  @Test func ofARequestAllOrNone() async throws {
    let room = Room()
    let store = try room.store()
    #expect(await store.make(Self.move("b", from: 0, steps: 1)) == nil)
    #expect(
      await store.make(
        Self.move("a", from: 0, steps: 1), Self.move("b", from: 7, steps: 8),
        Self.move("c", from: 0, steps: 1)) == .moved(id: "b", steps: 1))
    #expect(await store.look("a").finding == .unknown)
    let version = await store.look("b").version
    #expect(
      await store.make(Self.move("a", from: 0, steps: 1), Self.move("b", from: version, steps: 2))
        == nil)
    #expect(await store.look("a").steps == 1)
    #expect(await store.look("b").steps == 2)
    #expect(await store.names() == ["a", "b"])
    await store.end()
  }

  @Test func oneRequestAtATime() async throws {
    let room = Room()
    let (one, other) = (try room.store(), try room.store())
    #expect(await one.make(Self.move("s", from: 0, steps: 1)) == nil)
    guard case .success(let found) = await one.take("s", "t"),
      case .session(_, let version) = found[0]
    else {
      Issue.record("not taken")
      return
    }
    #expect(await other.take("s") == .failure(.leased(id: "s", isUsed: true)))
    #expect(await other.take("u", "t") == .failure(.leased(id: "t", isUsed: true)))
    // All or none: nobody has u.
    #expect(await one.take("u") == .success([.unknown]))
    one.release([Key(model: "m", id: "u")])
    // Another connection may be faster.
    try await eventually { room.server.ask("EXISTS carousel:l:{m/u}") == ":0\r\n" }
    // A source is only read, where nobody has it.
    #expect(await other.take("u", sources: ["s"]) == .failure(.leased(id: "s", isUsed: true)))
    // Whoever only looks waits for nobody.
    #expect(await other.look("s").steps == 1)
    #expect(await one.make(Self.move("s", from: version, steps: 2)) == nil)
    #expect(await other.take("u", sources: ["s"]).map(\.count) == .success(2))
    #expect(await other.take("s").map(\.count) == .success(1))
    #expect(await other.take("t") == .failure(.leased(id: "t", isUsed: true)))
    // At its end a process gives all back.
    await one.end()
    #expect(await other.take("t") == .success([.unknown]))
    await other.end()
  }

  /// Of a process that is killed; one that lives renews it.
  @Test func aLeaseOutlivesACrashByItsTime() async throws {
    let room = Room()
    let (one, other) = (
      try room.store(lease: .milliseconds(300)), try room.store(lease: .milliseconds(300))
    )
    room.server.ask("SET carousel:l:{m/s} crashed PX 300")
    #expect(await one.take("s") == .failure(.leased(id: "s", isUsed: false)))
    try await eventually { room.server.ask("EXISTS carousel:l:{m/s}") == ":0\r\n" }
    guard case .success = await other.take("s") else {
      Issue.record("not taken")
      return
    }
    // The time that is left goes up again only where it is renewed; how often depends on the machine.
    var last = 0
    try await eventually {
      let left = Int(room.server.ask("PTTL carousel:l:{m/s}").dropFirst().dropLast(2)) ?? 0
      defer { last = left }
      return left > last && last > 0
    }
    await one.end()
    await other.end()
  }

  @Test func endsAreRemembered() async throws {
    let room = Room()
    let (one, other) = (try room.store(), try room.store())
    #expect(await one.make(Self.move("s", from: 0, steps: 1)) == nil)
    let version = await one.look("s").version
    #expect(await one.make(Self.move("s", from: version, steps: 2, ends: true)) == nil)
    #expect(await other.make(Self.move("at once", from: 0, steps: 2, ends: true)) == nil)
    #expect(await other.look("s").finding == .ended(.ended))
    #expect(await one.look("at once").finding == .ended(.ended))
    #expect(one.statistics.endCounts == [.ended: 1])
    #expect(await other.make(Self.move("s", from: 0, steps: 4)) == nil)
    #expect(await one.look("s").steps == 4)
    await one.end()
    await other.end()
  }

  @Test func sessionsExpire() async throws {
    let room = Room()
    let store = try room.store(idle: .milliseconds(50))
    #expect(await store.make(Self.move("s", from: 0, steps: 1)) == nil)
    try await eventually { room.server.ask("EXISTS carousel:s:{m/s}") == ":0\r\n" }
    #expect(await store.look("s").finding == .ended(.expired))
    // Each second what Redis has let expire is remembered, and counted once.
    try await eventually { store.statistics.endCounts[.expired] == 1 }
    #expect(room.server.ask("ZCARD carousel:i:m") == ":0\r\n")
    #expect(await store.look("s").finding == .ended(.expired))
    await store.end()
  }

  /// A Redis that is told to drop keys drops sessions too; their clients are told.
  @Test func sessionsThatRedisDrops() async throws {
    let room = Room(RedisServer("--maxmemory 100mb --maxmemory-policy allkeys-lru"))
    let store = try room.store()
    #expect(room.reports.withLock { $0.first ?? "" }.contains("found maxmemory-policy allkeys-lru"))
    #expect(await store.make(Self.move("s", from: 0, steps: 1)) == nil)
    room.server.ask("DEL carousel:s:{m/s}")
    #expect(await store.look("s").finding == .ended(.evicted))
    await store.end()
  }

  /// Its steps, checksum, state, or nothing but a part of it.
  @Test(arguments: ["SETRANGE {} 8 7", "SETRANGE {} 56 7", "SETRANGE {} 66 7", "SET {} short"])
  func damagedEntriesAreSkipped(damage: String) async throws {
    let room = Room()
    let store = try room.store()
    #expect(await store.make(Self.move("s", from: 0, steps: 1)) == nil)
    #expect(await store.make(Self.move("t", from: 0, steps: 1)) == nil)
    room.server.ask(damage.replacing("{}", with: "carousel:s:{m/s}"))
    #expect(await store.look("s").finding == .ended(.damaged))
    try await eventually { store.statistics.endCounts[.damaged] == 1 }
    #expect(await store.look("s").finding == .ended(.damaged))
    #expect(await store.look("t").steps == 1)
    #expect(await store.look("t", floatCount: 4).finding == .ended(.damaged))
    await store.end()
  }

  @Test func ofAnotherModelOfTheName() async throws {
    let room = Room()
    let old = try room.store(served: [("m", "m")])
    #expect(await old.make(Self.move("s", from: 0, steps: 1)) == nil)
    try await eventually { room.server.ask("SMEMBERS carousel:models").contains("m m") }
    let new = try room.store(served: [("m", "new")])
    try await eventually { new.state.withLock { $0.namesakes["new"] == ["m"] } }
    #expect(await new.look("s", model: "new").finding == .ended(.otherModel))
    #expect(await new.look("t", model: "new").finding == .unknown)
    await old.end()
    await new.end()
  }

  @Test func usageIsShown() async throws {
    let room = Room()
    let store = try room.store()
    #expect(await store.make(Self.move("s", from: 0, steps: 1)) == nil)
    #expect(await store.make(Self.move("t", from: 0, steps: 1)) == nil)
    try await eventually { store.statistics.usage["m"]?.count == 2 }
    #expect(
      store.statistics.usage["m"]?.byteCount
        == 2 * SessionTable.byteCount(of: Key(model: "m", id: "t"), floatCount: 3))
    try await eventually { store.statistics.fileBytes > 0 }
    #expect(store.statistics.moves == 2)
    await store.end()
  }

  // MARK: - A Redis that does not do its part

  @Test func errorsAreTold() async throws {
    let room = Room()
    let store = try room.store()
    // Of all sessions of a model.
    room.server.ask("SET carousel:i:other text")
    let wrong = await store.make(StoreRoom.move("s", from: 0, steps: 1, model: "other"))
    guard case .failing(let reason) = wrong else {
      Issue.record("\(wrong as Any)")
      return
    }
    #expect(reason.hasPrefix("a key that begins with carousel: is of another program: "))
    #expect(store.statistics.failures == 1)
    #expect(await store.make(Self.move("s", from: 0, steps: 1)) == nil)
    #expect(!store.statistics.isFailing)
    room.server.ask("CONFIG SET maxmemory 1")
    guard case .failing(let full) = await store.make(Self.move("t", from: 0, steps: 1)) else {
      Issue.record("a full Redis takes it")
      return
    }
    #expect(full.hasPrefix("its memory is full (maxmemory): "))
    // What is full can be read.
    #expect(store.statistics.isFailing)
    #expect(await store.look("s").steps == 1)
    #expect(await store.look("t").finding == .unknown)
    room.server.ask("CONFIG SET maxmemory 0")
    #expect(await store.make(Self.move("t", from: 0, steps: 1)) == nil)
    // A Redis that has forgotten the scripts is sent them.
    room.server.ask("SCRIPT FLUSH")
    #expect(await store.make(Self.move("u", from: 0, steps: 1)) == nil)
    #expect(await store.look("u").steps == 1)
    await store.end()
  }

  @Test func whatCantServeIsRefused() throws {
    func refusal(
      _ room: Room, _ durability: SessionDurability = .answer, password: String? = nil
    ) -> String {
      do throws(RedisProblem) {
        _ = try room.store(durability, password: password)
        return ""
      } catch { return error.reason }
    }
    let open = Room()
    #expect(refusal(open, .sync).contains("found appendonly no and appendfsync everysec"))
    let locked = Room(RedisServer("--requirepass secret"))
    #expect(refusal(locked).contains("it wants a password: NOAUTH"))
    #expect(refusal(locked, password: "other").contains("it does not take the user and password"))
    #expect(refusal(locked, password: "secret") == "")
    let safe = Room(RedisServer("--appendonly yes --appendfsync always"))
    #expect(refusal(safe, .sync) == "")
  }

  /// Killed and started again, with its append-only file: what was asked meanwhile is answered then, and nothing is lost.
  @Test(arguments: [SessionDurability.sync, .behind])
  func aRedisThatIsKilled(durability: SessionDurability) async throws {
    let server = RedisServer("--appendonly yes --appendfsync always")
    let room = Room(server)
    let store = try room.store(durability)
    #expect(await store.make(Self.move("s", from: 0, steps: 1)) == nil)
    let version = await store.look("s").version
    server.end()
    try await eventually { store.problem != nil }
    #expect(store.statistics.isFailing)
    if durability == .sync {
      guard case .failing = await store.take("s").failure else {
        Issue.record("a Redis that is gone answers")
        return
      }
      server.start()
      try await eventually { store.problem == nil }
      #expect(await store.make(Self.move("s", from: version, steps: 2)) == nil)
    } else {
      async let moved = store.make(Self.move("s", from: version, steps: 2))
      server.start()
      #expect(await moved == nil)
    }
    #expect(await store.look("s").steps == 2)
    #expect(room.reports.withLock { $0.contains("works again") })
    await store.end()
  }

  /// A move whose answer is lost is asked again, and counts once.
  @Test func aMoveThatWasMadeIsNotMadeAgain() async throws {
    let room = Room()
    let store = try room.store()
    #expect(await store.make(Self.move("s", from: 0, steps: 1)) == nil)
    // Each connection is cut while moves are on their way.
    for steps in 2...60 {
      let version = await store.look("s").version
      async let moved = store.make(Self.move("s", from: version, steps: steps))
      room.server.ask("CLIENT KILL TYPE normal SKIPME yes")
      #expect(await moved == nil)
      #expect(await store.look("s").steps == steps)
    }
    await store.end()
  }
}
