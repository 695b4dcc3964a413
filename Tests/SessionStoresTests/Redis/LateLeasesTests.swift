import Inference
import TestSupport
import Testing

@testable import Scheduling
@testable import SessionStores

/// Leases that a Redis takes after whoever asked for them has given up.
struct LateLeasesTests {
  private static func lease(_ id: String) -> LateLeases.Held {
    .init(
      key: .init(model: "m", id: id),
      token: RedisToken(process: Array("process1".utf8), number: 1))
  }

  @Test func whatWasThereIsDone() {
    let now = ContinuousClock.now
    var late = LateLeases()
    let (s, t) = (Self.lease("s"), Self.lease("t"))
    late.add([s, t])
    late.note(asked: [s, t], returned: [s], now: now, life: .seconds(3))
    #expect(late.all == [t])
    // It may yet come, for as long as a lease lasts after the first answer.
    late.note(
      asked: [t], returned: [], now: now + .seconds(3) - .nanoseconds(1), life: .seconds(3))
    #expect(late.all == [t])
    late.note(asked: [s], returned: [], now: now + .seconds(9), life: .seconds(3))
    #expect(late.all == [t])
    late.note(asked: [t], returned: [], now: now + .seconds(3), life: .seconds(3))
    #expect(late.all == [])
  }

  @Test(arguments: [1, 2, 3])
  func theyAreBounded(count: Int) {
    var late = LateLeases(limit: 2)
    let leases = (0..<count).map { Self.lease("\($0)") }
    for lease in leases { late.add([lease]) }
    #expect(late.all == leases.suffix(2))
  }

  /// The lease lasts longer than the test: once Redis is awake, it is given back though nobody asks for it.
  @Test(.enabled(if: RedisServer.isInstalled, "redis-server is not installed"))
  func aRedisThatSlept() async throws {
    let room = RedisRoom()
    var brief = RedisClient.Limits()
    brief.connect = .seconds(1)
    brief.stall = .milliseconds(500)
    brief.patience = .seconds(1)
    let (store, other) = (try room.store(client: brief), try room.store())
    #expect(await other.make(StoreRoom.move("s", from: 0, steps: 1)) == nil)
    try await eventually { store.client.status.status == .ready }
    room.server.hold(true)
    let taken = await store.take("s")
    #expect(taken.failure != nil)
    // What was to give it back has given up, too.
    try await eventually { store.client.servers[0].state.withLock({ $0.byteCount }) == 0 }
    room.server.hold(false)
    try await eventually { store.client.status.status == .ready }
    try await eventually { room.server.ask("EXISTS carousel:l:{m/s}") == ":0\r\n" }
    #expect(await other.take("s").state == StoreRoom.state(1))
    other.release([.init(model: "m", id: "s")])
    await other.end()
    await store.end()
  }
}
