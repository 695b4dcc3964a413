import TestSupport
import Testing

@testable import Scheduling
@testable import SessionStores

/// Sessions in a Redis whose states are encrypted.
@Suite(.enabled(if: RedisServer.isInstalled, "redis-server is not installed"))
struct SealedRedisTests {
  private static func key(_ name: String, _ byte: UInt8) -> StateKey {
    StateKey(name: name, bytes: [UInt8](repeating: byte, count: 32))
  }

  private static let (old, new) = (key("old", 1), key("new", 2))
  private static func move(_ id: String, from version: Int = 0, steps: Int = 1) -> SessionMove {
    StoreRoom.move(id, from: version, steps: steps)
  }

  private func refusal(_ store: RedisSessionStore, _ id: String) async -> String {
    guard case .failure(.failing(let reason)) = await store.take(id) else { return "" }
    return reason
  }

  @Test func statesAreNotInRedis() async throws {
    let room = RedisRoom()
    let (sealed, plain) = (try room.store(keys: [Self.old]), try room.store())
    #expect(await sealed.make(Self.move("s")) == nil)
    #expect(await plain.make(Self.move("t")) == nil)
    let version = await sealed.look("s").version
    #expect(await sealed.make(Self.move("s", from: version, steps: 2)) == nil)
    #expect(await sealed.look("s").steps == 2)
    // The name and its length, the check, nonce and tag, three floats.
    let sealedByteCount = RedisEntry.headByteCount + 4 + 4 + 28 + 12
    #expect(room.server.ask("STRLEN carousel:s:{m/s}") == ":\(sealedByteCount)\r\n")
    #expect(room.server.ask("GETRANGE carousel:s:{m/s} 65 67") == "$3\r\nold\r\n")
    #expect(room.server.ask("STRLEN carousel:s:{m/t}") == ":\(RedisEntry.headByteCount + 12)\r\n")
    await sealed.end()
    await plain.end()
  }

  /// A new first key is for what is written, the old one for what was; what needs one that is gone waits for it.
  @Test func keysAreReplaced() async throws {
    let room = RedisRoom()
    let first = try room.store(keys: [Self.old])
    for id in ["a", "b"] { #expect(await first.make(Self.move(id)) == nil) }
    await first.end()
    let both = try room.store(keys: [Self.new, Self.old])
    #expect(await both.look("b").steps == 1)
    let version = await both.look("a").version
    #expect(await both.make(Self.move("a", from: version, steps: 2)) == nil)
    await both.end()
    let last = try room.store(keys: [Self.new])
    #expect(await last.look("a").steps == 2)
    for _ in 0..<2 {
      #expect(
        await refusal(last, "b")
          == "session b is encrypted with a key old that session_store_keys does not have")
    }
    #expect(room.reports.withLock { $0.count } == 1)
    // A starved machine may have left it without an answer for a while.
    try await eventually { last.problem == nil && !last.statistics.isFailing }
    // Nobody has its lease.
    try await eventually { room.server.ask("EXISTS carousel:l:{m/b}") == ":0\r\n" }
    let keyless = try room.store()
    #expect(await refusal(keyless, "a").contains("encrypted with a key new"))
    let other = try room.store(keys: [Self.key("new", 9)])
    #expect(await refusal(other, "a").contains("encrypted with another key new than the one"))
    #expect(await last.look("a").steps == 2)
    for store in [last, keyless, other] { await store.end() }
  }

  /// Also what a program that can write to Redis, but has no key, puts together from what is there.
  @Test(arguments: [
    "EVAL \"redis.call('SET',KEYS[1],redis.call('GET',KEYS[2]))\" 2 {a} {b}",
    "EVAL \"redis.call('SETRANGE',KEYS[1],64,redis.call('GETRANGE',KEYS[2],64,-1))\" 2 {a} {b}",
    "SETRANGE {a} 0 7", "SETRANGE {a} 8 7", "SETRANGE {a} 56 7", "SETRANGE {a} 100 7",
  ])
  func statesCantBeExchanged(damage: String) async throws {
    let room = RedisRoom()
    let store = try room.store(keys: [Self.old])
    for (id, steps) in [("a", 1), ("b", 2)] {
      #expect(await store.make(Self.move(id, steps: steps)) == nil)
    }
    room.server.ask(
      damage.replacing("{a}", with: "carousel:s:{m/a}").replacing("{b}", with: "carousel:s:{m/b}"))
    #expect(await store.look("a").finding == .ended(.damaged))
    #expect(await store.look("b").steps == 2)
    await store.end()
  }
}
