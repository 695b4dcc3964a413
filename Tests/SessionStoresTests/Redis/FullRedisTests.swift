import Inference
import TestSupport
import Testing

@testable import Scheduling
@testable import SessionStores

/// A Redis whose memory is full, and keys of other programs.
@Suite(.enabled(if: RedisServer.isInstalled, "redis-server is not installed"))
struct FullRedisTests {
  private typealias Key = SessionTable.Key

  private func key(_ id: String) -> Key { Key(model: "m", id: id) }

  private func isFull(_ problem: SessionStoreProblem?) -> Bool {
    guard case .failing(let reason) = problem else { return false }
    return reason.hasPrefix("its memory is full (maxmemory): ")
  }

  /// Ends, leases that are given back, and expiry; not what begins or goes on beside an end, nor the memory of what never was.
  @Test func whatFreesMemoryWorks() async throws {
    let room = RedisRoom()
    let store = try room.store(idle: .seconds(600))
    for id in ["a", "b", "c", "old"] {
      #expect(await store.make(StoreRoom.move(id, from: 0, steps: 1)) == nil)
    }
    #expect(await store.take("b").state == StoreRoom.state(1))
    room.server.ask("CONFIG SET maxmemory 1")
    #expect(isFull(await store.take("a").failure))
    // Before what is full: a lease is given back.
    store.release([key("b")])
    try await eventually { room.server.ask("EXISTS carousel:l:{m/b}") == ":0\r\n" }
    let (a, c) = (await store.look("a").version, await store.look("c").version)
    #expect(
      isFull(
        await store.make(
          StoreRoom.move("a", from: a, steps: 2, ends: true),
          StoreRoom.move("c", from: c, steps: 2))))
    #expect(isFull(await store.make(StoreRoom.move("never", from: 0, steps: 1, ends: true))))
    #expect(await store.look("a").steps == 1)
    #expect(await store.look("never").finding == .unknown)
    #expect(await store.take("a", "c", freesOnly: true).failure == nil)
    #expect(
      await store.make(
        StoreRoom.move("a", from: a, steps: 1, ends: true),
        StoreRoom.move("c", from: c, steps: 2, ends: true)) == nil)
    #expect(await store.look("a").finding == .ended(.ended))
    #expect(room.server.ask("EXISTS carousel:l:{m/a} carousel:l:{m/c}") == ":0\r\n")
    // One that Redis has let expire is remembered as such.
    room.server.ask("DEL carousel:s:{m/old}")
    room.server.ask("CONFIG SET maxmemory 0")
    room.server.ask("ZADD carousel:i:m 1 old")
    room.server.ask("CONFIG SET maxmemory 1")
    try await eventually { store.statistics.endCounts[.expired] == 1 }
    #expect(room.server.ask("GET carousel:e:{m/old}").contains("2 expired"))
    #expect(await store.names() == ["b"])
    await store.end()
  }

  /// Through the sessions of a server: DELETE, and the end of a session that a request takes up.
  @Test func aServersSessions() async throws {
    let room = RedisRoom()
    let store = try room.store()
    for id in ["a", "b"] {
      #expect(await store.make(StoreRoom.move(id, from: 0, steps: 1)) == nil)
    }
    let sessions = Sessions(limits: SessionLimits(), store: store)
    room.server.ask("CONFIG SET maxmemory 1")
    let refusal = await withCheckedContinuation { continuation in
      sessions.end(key("a"), floatCount: 3) { continuation.resume(returning: $0) }
    }
    #expect(refusal == nil)
    let grant = await withCheckedContinuation { continuation in
      sessions.open(
        [.init("b", ends: true)], model: "m", floatCount: 3, waits: true, arrived: .now,
        timeout: nil, as: sessions.makeWaiter()
      ) { continuation.resume(returning: $0) }
    }
    #expect(try grant.get() == [StoreRoom.state(1)])
    let closed = await withCheckedContinuation { continuation in
      sessions.close([("b", StoreRoom.state(2), true)], model: "m") {
        continuation.resume(returning: $0)
      }
    }
    #expect(closed == nil)
    #expect(await store.names() == [])
    await store.end()
  }

  /// A line when it fails and one when it works, whatever works meanwhile; and it works again though no request asks.
  @Test(arguments: [SessionDurability.answer, .behind])
  func anEpisodeIsToldOnce(durability: SessionDurability) async throws {
    let room = RedisRoom()
    let store = try room.store(durability)
    for id in ["s", "0", "1", "2", "3", "4"] {
      #expect(await store.make(StoreRoom.move(id, from: 0, steps: 1)) == nil)
    }
    let before = room.reports.withLock { $0 }
    room.server.ask("CONFIG SET maxmemory 1")
    for round in 0..<5 {
      #expect(isFull(await store.make(StoreRoom.move("t", from: 0, steps: 1))))
      #expect(isFull(await store.take("t").failure))
      #expect(await store.look("s").steps == 1)
      store.release([key("s")])
      store.touch([key("s")])
      let version = await store.look("\(round)").version
      let end = StoreRoom.move("\(round)", from: version, steps: 1, ends: true)
      #expect(await store.make(end) == nil)
    }
    #expect(store.statistics.isFailing)
    #expect((store.problem != nil) == (durability == .behind))
    #expect(room.reports.withLock { $0.count } == before.count + 1)
    room.server.ask("CONFIG SET maxmemory 0")
    try await eventually { !store.statistics.isFailing }
    #expect(store.problem == nil)
    #expect(room.reports.withLock { $0.dropFirst(before.count + 1) } == ["works again"])
    await store.end()
  }

  /// A move that was made, and whose answer was lost, is not told as refused.
  @Test func whatWasMadeBeforeItWasFull() async throws {
    let room = RedisRoom()
    let store = try room.store()
    let process = store.keeper.process
    let moves = RedisMoves(
      [StoreRoom.move("s", from: 0, steps: 1)], leases: [nil],
      token: RedisToken(process: process, number: 99), process: process, mayKeep: true,
      limits: store.limits, now: .now)
    func run() async -> RedisMoves.Outcome? {
      await withCheckedContinuation { continuation in
        store.runner.run(moves.body(by: store.codec, names: store.runner.names), .moves) { result in
          continuation.resume(returning: (try? result.get()).flatMap { moves.outcome(of: $0) })
        }
      }
    }
    #expect(await run() == .done(keeps: true))
    room.server.ask("CONFIG SET maxmemory 1")
    #expect(await run() == .done(keeps: true))
    await store.end()
  }

  /// Somebody else's key under a session's name, or its lease's, or its end's: the store is well, and the client is told once.
  @Test(arguments: ["s", "l", "e"])
  func aKeyOfAnotherType(kind: String) async throws {
    let room = RedisRoom()
    let store = try room.store()
    #expect(await store.make(StoreRoom.move("well", from: 0, steps: 1)) == nil)
    if kind != "s" { #expect(await store.make(StoreRoom.move("other", from: 0, steps: 1)) == nil) }
    room.server.ask("LPUSH carousel:\(kind):{m/other} text")
    if kind == "s" {
      #expect(await store.take("other", "well").map(\.first) == .success(.ended(.damaged)))
      try await eventually { store.statistics.endCounts[.damaged] == 1 }
      #expect(await store.look("other").finding == .ended(.damaged))
      #expect(await store.make(StoreRoom.move("other", from: 0, steps: 1)) == nil)
    }
    #expect(await store.take("other").state == StoreRoom.state(1))
    let version = await store.look("other").version
    #expect(await store.make(StoreRoom.move("other", from: version, steps: 2)) == nil)
    #expect(await store.look("other").steps == 2)
    #expect(await store.names() == ["other", "well"])
    #expect(store.statistics.failures == 0)
    #expect(!store.statistics.isFailing)
    await store.end()
  }

  /// Under the name of a session that this process has kept, too.
  @Test func aKeyOfAnotherTypeBehindAKeptSession() async throws {
    let room = RedisRoom()
    let store = try room.store()
    #expect(await store.make(StoreRoom.move("s", from: 0, steps: 1)) == nil)
    for steps in 2...4 {
      guard case .session(_, let version) = try? await store.take("s").get().first else {
        Issue.record("not taken")
        return
      }
      #expect(await store.make(StoreRoom.move("s", from: version, steps: steps)) == nil)
    }
    guard case .session(_, let version) = store.takeKept([key("s")], beside: [], floatCount: 3)?[0]
    else {
      Issue.record("not kept")
      return
    }
    room.server.ask("DEL carousel:s:{m/s}")
    room.server.ask("LPUSH carousel:s:{m/s} text")
    #expect(
      await store.make(StoreRoom.move("s", from: version, steps: 5)) == .moved(id: "s", steps: nil))
    #expect(await store.look("s").finding == .ended(.damaged))
    #expect(!store.statistics.isFailing)
    await store.end()
  }

  /// The number of sessions is that of the moment of the question.
  @Test func listsCount() async throws {
    let room = RedisRoom()
    let store = try room.store()
    for count in 1...3 {
      #expect(await store.make(StoreRoom.move("\(count)", from: 0, steps: 1)) == nil)
      let page = await withCheckedContinuation { continuation in
        store.list(of: "m", limit: 2) { continuation.resume(returning: try? $0.get()) }
      }
      #expect(page?.usage.count == count)
      #expect(
        page?.usage.byteCount == count * SessionTable.byteCount(of: key("1"), floatCount: 3))
      #expect(page?.listings.count == min(count, 2))
    }
    await store.end()
  }
}
