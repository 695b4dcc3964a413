import Inference
import Testing

@testable import Scheduling
@testable import SessionStores

/// Which leases a process has, keeps and gives back, without a Redis.
@Suite struct SessionLeasesTests {
  private static let process = Array("process1".utf8)
  private static let now = ContinuousClock.now
  private static let life = Duration.seconds(2)

  private static func key(_ id: String) -> SessionTable.Key { .init(model: "m", id: id) }
  private static func token(_ number: UInt64) -> RedisToken {
    RedisToken(process: process, number: number)
  }

  private static func lease(_ number: UInt64, isMarked: Bool = true) -> SessionLeases.Lease {
    SessionLeases.Lease(
      token: token(number),
      entry: RedisEntry(
        version: 1, created: 1, token: token(number), run: 3, state: StoreRoom.state(1)),
      created: now, renewed: now, isMarked: isMarked)
  }

  private static func keep(
    _ leases: inout SessionLeases, _ id: String, _ number: UInt64, limit: Int = 1 << 20
  ) -> Bool {
    leases.keep(key(id), token(number), limit: limit) { $0.isMarked = false }
  }

  @Test func aKeptSessionIsUsedAgain() {
    var leases = SessionLeases()
    leases.insert(Self.key("s"), Self.lease(1))
    // A request has it.
    #expect(leases.useKept([Self.key("s")], now: Self.now, life: Self.life) == nil)
    #expect(leases.used.map(\.key.id) == ["s"])
    #expect(Self.keep(&leases, "s", 1))
    #expect(leases.used == [])
    let byteCount = SessionTable.byteCount(of: Self.key("s"), floatCount: 3)
    #expect(leases.keptByteCount == byteCount)
    #expect(!Self.keep(&leases, "s", 1))
    #expect(leases.keptByteCount == byteCount)
    #expect(
      leases.useKept([Self.key("s")], now: Self.now, life: Self.life)?.map(\.token)
        == [Self.token(1)])
    #expect(leases.keptByteCount == 0)
    #expect(!Self.keep(&leases, "s", 2))
    #expect(!Self.keep(&leases, "t", 1))
  }

  @Test func allOrNone() {
    var leases = SessionLeases()
    for id in ["s", "t"] { leases.insert(Self.key(id), Self.lease(1)) }
    #expect(Self.keep(&leases, "s", 1))
    #expect(
      leases.useKept([Self.key("s"), Self.key("t")], now: Self.now, life: Self.life) == nil)
    #expect(leases.useKept([Self.key("s")], now: Self.now, life: Self.life) != nil)
  }

  /// Before, at and after the end of its life.
  @Test(arguments: [(-1, true), (0, false), (1, false)])
  func itsLifeEnds(nanoseconds: Int, isThere: Bool) {
    var leases = SessionLeases()
    leases.insert(Self.key("s"), Self.lease(1))
    #expect(Self.keep(&leases, "s", 1))
    let moment = Self.now + Self.life + .nanoseconds(nanoseconds)
    #expect((leases.useKept([Self.key("s")], now: moment, life: Self.life) != nil) == isThere)
  }

  /// One byte less than two sessions take, as many, and one more.
  @Test(arguments: [(-1, false), (0, true), (1, true)])
  func whatIsKeptIsBounded(bytes: Int, isKept: Bool) {
    let byteCount = SessionTable.byteCount(of: Self.key("s"), floatCount: 3)
    var leases = SessionLeases()
    for id in ["s", "t"] { leases.insert(Self.key(id), Self.lease(1)) }
    #expect(Self.keep(&leases, "s", 1, limit: 2 * byteCount + bytes))
    #expect(Self.keep(&leases, "t", 1, limit: 2 * byteCount + bytes) == isKept)
    // It has to be given back then, and is a request's until it is.
    #expect(leases.used.map(\.key.id) == (isKept ? [] : ["t"]))
  }

  @Test func anotherProcessWantsIt() {
    var leases = SessionLeases()
    // One that a request took: Redis says so already.
    leases.insert(Self.key("s"), Self.lease(1))
    #expect(leases.want(Self.key("s"), Self.token(1)) == .none)
    #expect(!Self.keep(&leases, "s", 1))
    // One that was kept, and that a request uses since.
    leases.insert(Self.key("s"), Self.lease(2))
    #expect(Self.keep(&leases, "s", 2))
    #expect(leases.useKept([Self.key("s")], now: Self.now, life: Self.life) != nil)
    #expect(leases.want(Self.key("s"), Self.token(2)) == .mark)
    #expect(leases.want(Self.key("s"), Self.token(2)) == .none)
    #expect(!Self.keep(&leases, "s", 2))
    // One that nobody uses.
    leases.insert(Self.key("s"), Self.lease(3))
    #expect(Self.keep(&leases, "s", 3))
    #expect(leases.want(Self.key("s"), Self.token(3)) == .giveBack)
    #expect(leases.all == [])
    #expect(leases.keptByteCount == 0)
    // One that is forgotten, and an earlier one.
    #expect(leases.want(Self.key("s"), Self.token(3)) == .giveBack)
    leases.insert(Self.key("s"), Self.lease(4))
    #expect(leases.want(Self.key("s"), Self.token(3)) == .giveBack)
    #expect(leases[Self.key("s")]?.isWanted == false)
  }

  @Test func whatIsForgotten() {
    var leases = SessionLeases()
    for (number, id) in ["s", "t", "u"].enumerated() {
      leases.insert(Self.key(id), Self.lease(UInt64(number)))
    }
    #expect(Self.keep(&leases, "s", 0))
    #expect(Self.keep(&leases, "t", 1))
    leases.forgetKept(renewedBefore: Self.now)
    #expect(leases.all.count == 3)
    leases.remove(Self.key("s"), Self.token(9))
    #expect(leases.all.count == 3)
    leases.remove(Self.key("s"), Self.token(0))
    #expect(leases.all.count == 2)
    leases.forgetKept()
    #expect(leases.all.map(\.key.id) == ["u"])
    #expect(leases.keptByteCount == 0)
    #expect(leases.held([Self.key("u"), Self.key("s")]).map(\.token) == [Self.token(2)])
  }

  @Test func namesOfLeases() {
    let names = SessionKeys(isCluster: false)
    for names in [names, SessionKeys(isCluster: true)] {
      for key in [Self.key("s"), Self.key("a/b"), Self.key("}{"), Self.key("")] {
        #expect(names.key(ofLease: names.lease(key)) == key)
      }
    }
    for text in ["", "carousel:l:{m}", "carousel:s:{m/s}", "carousel:l:{m/s"] {
      #expect(names.key(ofLease: text.utf8) == nil)
    }
  }

  @Test func entries() throws {
    let (key, codec) = (Self.key("s"), StateCodec(nil))
    let entry = RedisEntry(
      version: RedisEntry.firstVersion(), created: 1_700_000_000_123, token: Self.token(7), run: 4,
      state: StoreRoom.state(12))
    let bytes = entry.bytes(of: key, by: codec)
    #expect(bytes.count == RedisEntry.headByteCount + 12)
    #expect(try RedisEntry(bytes, of: key, by: codec, floatCount: 3) == entry)
    // Of another session, of another size, and with any byte changed that tells of the state.
    #expect(throws: StateSealingError.damaged) {
      try RedisEntry(bytes, of: Self.key("t"), by: codec, floatCount: 3)
    }
    #expect(throws: StateSealingError.damaged) {
      try RedisEntry(bytes, of: key, by: codec, floatCount: 4)
    }
    for index in Array(0..<16) + Array(56..<bytes.count) {
      var damaged = bytes
      damaged[index] ^= 1
      #expect(throws: StateSealingError.damaged) {
        try RedisEntry(damaged, of: key, by: codec, floatCount: 3)
      }
    }
    for count in 0..<bytes.count {
      #expect(throws: StateSealingError.damaged) {
        try RedisEntry(Array(bytes[..<count]), of: key, by: codec, floatCount: 3)
      }
    }
  }
}
