import TestSupport
import Testing

@testable import SessionStores

/// A Redis that Sentinels watch over: where it is, they say, also after another one has taken its place.
@Suite(.enabled(if: RedisServer.isInstalled, "redis-server is not installed"))
struct SentinelTests {
  private func store(_ ports: [Int], name: String = "mymaster") throws -> RedisSessionStore {
    var location = RedisLocation(host: "127.0.0.1")
    location.places = ports.map { .init(host: "127.0.0.1", port: $0) }
    location.sentinelName = name
    var client = RedisClient.Limits()
    client.connect = .seconds(60)
    client.stall = .seconds(60)
    return try RedisSessionStore(
      location, durability: .answer, limits: RedisSessionLimits(patience: .seconds(60)),
      client: client, report: { _ in })
  }

  @Test func theyKnowWhereItIs() async throws {
    let server = RedisServer()
    let sentinel = RedisServer(watching: server)
    // The first of them is not there.
    let store = try store([1, sentinel.port])
    #expect(store.problem == nil)
    #expect(await store.make(StoreRoom.move("s", from: 0, steps: 1)) == nil)
    #expect(server.ask("EXISTS carousel:s:{m/s}") == ":1\r\n")
    await store.end()
    let other = try self.store([sentinel.port], name: "other")
    guard case .failing(let reason) = other.problem else {
      Issue.record("\(String(describing: other.problem))")
      return
    }
    #expect(reason == "the Sentinel 127.0.0.1:\(sentinel.port): it knows no other")
    await other.end()
  }

  @Test func anotherTakesItsPlace() async throws {
    let server = RedisServer()
    let replica = RedisServer("--replicaof 127.0.0.1 \(server.port)")
    let sentinel = RedisServer(watching: server)
    let store = try store([sentinel.port])
    #expect(await store.make(StoreRoom.move("s", from: 0, steps: 1)) == nil)
    let version = await store.look("s").version
    try await eventually { replica.ask("EXISTS carousel:s:{m/s}") == ":1\r\n" }
    try await eventually {
      sentinel.ask("SENTINEL REPLICAS mymaster").contains("127.0.0.1:\(replica.port)")
    }
    server.end()
    // Whether the store fails meanwhile is not looked at: it may find the other one before a busy test looks.
    try await eventually {
      sentinel.ask("SENTINEL GET-MASTER-ADDR-BY-NAME mymaster").contains("\r\n\(replica.port)\r\n")
    }
    #expect(await store.make(StoreRoom.move("s", from: version, steps: 2)) == nil)
    #expect(replica.ask("GETRANGE carousel:s:{m/s} 8 8") == "$1\r\n\u{2}\r\n")
    await store.end()
  }
}
