import Inference
import TestSupport
import Testing

@testable import Scheduling
@testable import SessionStores

/// What comes into a store that was kept elsewhere: in both kinds the same.
@Suite struct HandoverTests {
  private static func session(
    _ id: String, steps: Int, version: Int, idle: Duration = .seconds(2)
  ) -> SessionHandover {
    .session(
      .init(
        key: .init(model: "m", id: id), state: StoreRoom.state(steps), age: .seconds(9), idle: idle),
      version: version)
  }

  private static func end(_ id: String, _ reason: SessionEnd) -> SessionHandover {
    .end(.init(model: "m", id: id), reason)
  }

  private func hand(
    _ items: SessionHandover..., to store: some SessionStore
  ) async throws -> [HandoverOutcome] {
    try await withCheckedContinuation { continuation in
      store.takeOver(items) { continuation.resume(returning: $0) }
    }.get()
  }

  private func check(_ store: some SessionStore) async throws {
    #expect(await store.make(StoreRoom.move("mine", from: 0, steps: 1)) == nil)
    #expect(await store.make(StoreRoom.move("over", from: 0, steps: 1, ends: true)) == nil)
    let version = 1 << 61
    let items = [
      Self.session("s", steps: 3, version: version), Self.session("mine", steps: 7, version: 8),
      Self.session("over", steps: 7, version: 8), Self.end("gone", .evicted),
      Self.end("mine", .expired), Self.end("over", .expired),
    ]
    let outcomes = try await hand(
      items[0], items[1], items[2], items[3], items[4], items[5], to: store)
    #expect(outcomes == [.taken, .present, .ended, .taken, .present, .ended])
    #expect(await store.look("s").version == version)
    #expect(await store.look("s").steps == 3)
    guard case .session(let record, _) = await store.look("s").finding else {
      Issue.record("it is not there")
      return
    }
    #expect(record.age >= .seconds(9) && record.idle >= .seconds(2))
    #expect(await store.look("mine").steps == 1)
    #expect(await store.look("over").finding == .ended(.ended))
    #expect(await store.look("gone").finding == .ended(.evicted))
    #expect(await store.names() == ["mine", "s"])

    // Again, as after a kill: nothing changes, and what has moved or ended meanwhile stays.
    #expect(await store.make(StoreRoom.move("s", from: version, steps: 4)) == nil)
    #expect(
      try await hand(items[0], items[1], Self.session("t", steps: 5, version: 6), to: store)
        == [.present, .present, .taken])
    #expect(
      try await hand(Self.session("t", steps: 5, version: 6), to: store) == [.taken])
    #expect(await store.look("s").steps == 4)
    #expect(await store.make(StoreRoom.move("t", from: 6, steps: 6, ends: true)) == nil)
    #expect(try await hand(Self.session("t", steps: 5, version: 6), to: store) == [.ended])
    #expect(await store.look("t").finding == .ended(.ended))
  }

  @Test(arguments: SessionDurability.allCases)
  func aFile(durability: SessionDurability) async throws {
    let room = StoreRoom()
    let store = try room.store(durability)
    try await check(store)
    await store.end()
    let next = try room.store()
    #expect(await next.tell("s") == "4/\((1 << 61) + 1)")
    await next.end()
  }

  /// Sessions that are handed over live on for what was left of their time.
  @Test func theirTimeGoesOn() async throws {
    let room = StoreRoom()
    let store = try room.store(idleTimeout: .seconds(100))
    let outcomes = try await hand(
      Self.session("old", steps: 1, version: 2, idle: .seconds(99)),
      Self.session("new", steps: 1, version: 2, idle: .seconds(1)), to: store)
    #expect(outcomes == [.taken, .taken])
    room.advance(by: 1001)
    #expect(await store.tell("old") == "expired")
    #expect(await store.tell("new") == "1/2")
    await store.end()
  }

  /// Of a power cut behind it nothing is lost, whatever `session_durability` says.
  @Test(arguments: 0..<5)
  func aPowerCut(seed: Int) async throws {
    let room = StoreRoom(capacity: 64 << 20)
    let store = try room.store(.answer)
    for index in 0..<20 {
      #expect(
        try await hand(Self.session("s\(index)", steps: 3, version: 9), to: store) == [.taken])
    }
    let cut = room.afterPowerCut(seed: seed)
    await store.end()
    let next = try cut.store()
    for index in 0..<20 { #expect(await next.tell("s\(index)") == "3/9") }
    await next.end()
  }

  @Test(.enabled(if: RedisServer.isInstalled, "redis-server is not installed"))
  func aRedis() async throws {
    let room = RedisRoom()
    let store = try room.store()
    try await check(store)
    // It lives on for what was left of its time.
    #expect(
      try await hand(Self.session("old", steps: 1, version: 2, idle: .seconds(300)), to: store)
        == [.taken])
    let left = room.server.ask("PTTL carousel:s:{m/old}").dropFirst()
      .prefix { $0.isNumber }
    #expect((1...300_000).contains(Int(left) ?? 0))
    // A key of another program stays.
    room.server.ask("SADD carousel:s:{m/other} 1")
    #expect(try await hand(Self.session("other", steps: 1, version: 2), to: store) == [.present])
    // One that expired, and that nobody has noted yet, has ended.
    room.server.ask("DEL carousel:s:{m/old}")
    #expect(try await hand(Self.session("old", steps: 1, version: 2), to: store) == [.ended])
    await store.end()
  }

  /// A Redis that is full takes nothing over, and does once there is room.
  @Test(.enabled(if: RedisServer.isInstalled, "redis-server is not installed"))
  func aFullRedis() async throws {
    let room = RedisRoom()
    let store = try room.store()
    room.server.ask("CONFIG SET maxmemory 1")
    await #expect(throws: SessionStoreProblem.self) {
      try await hand(Self.session("s", steps: 3, version: 9), to: store)
    }
    #expect(room.server.ask("EXISTS carousel:s:{m/s}") == ":0\r\n")
    room.server.ask("CONFIG SET maxmemory 0")
    #expect(try await hand(Self.session("s", steps: 3, version: 9), to: store) == [.taken])
    await store.end()
  }
}
