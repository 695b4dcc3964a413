import TestSupport
import Testing

@testable import Scheduling
@testable import SessionStores

/// What a cluster says of its slots, and where keys are.
@Suite struct ClusterMapTests {
  private func place(_ port: Int) -> RedisLocation.Place { .init(host: "h", port: port) }

  private func reply(_ rows: [(Int, Int, String, Int)]) -> RESPValue {
    .array(
      rows.map { first, last, host, port in
        .array([
          .integer(first), .integer(last),
          .array([.bytes(Array(host.utf8)), .integer(port), .bytes(Array("id".utf8))]),
        ])
      })
  }

  /// The examples of the specification.
  @Test func slots() {
    #expect(HashSlot.checksum("123456789".utf8) == 0x31C3)
    #expect(HashSlot.slot(of: Array("foo".utf8)) == 12_182)
    for pair in [
      ("{user1000}.following", "user1000"), ("foo{{bar}}zap", "{bar"), ("foo{bar}{zap}", "bar"),
    ] {
      #expect(HashSlot.slot(of: Array(pair.0.utf8)) == HashSlot.slot(of: Array(pair.1.utf8)))
    }
    #expect(
      HashSlot.slot(of: Array("foo{}{bar}".utf8))
        == Int(HashSlot.checksum("foo{}{bar}".utf8)) % HashSlot.count)
  }

  /// All names of a session are in one slot, whatever its id holds, and so is its place in lists.
  @Test func namesOfASessionShareASlot() {
    let names = SessionKeys(isCluster: true)
    for id in ["s", "a/b", "}", "{x}", ""] {
      let key = SessionTable.Key(model: "m", id: id)
      #expect(Set(names.all(of: key).map(HashSlot.slot)).count == 1)
      #expect(names.indexes(ofModel: "m").filter { $0.name == names.index(of: key) }.count == 1)
    }
    let ids = (0..<2000).map { "\($0)" }
    #expect(Set(ids.map { names.group(of: $0) }).count > 240)
    #expect(
      names.divided(ids, by: { .init(model: "m", id: $0) }).map { names.group(of: $0[0]) }
        == Set(ids.map { names.group(of: $0) }).sorted())
    let plain = SessionKeys(isCluster: false)
    #expect(plain.divided(ids, by: { .init(model: "m", id: $0) }) == [ids])
    #expect(
      plain.all(of: .init(model: "m", id: "s")).map { String(decoding: $0, as: UTF8.self) } == [
        "carousel:s:{m/s}", "carousel:l:{m/s}", "carousel:e:{m/s}", "carousel:i:m",
      ])
  }

  @Test func readingTheMap() throws {
    var map = try ClusterMap(
      reply([(0, 100, "h", 1), (101, 16_383, "", 2), (0, 0, "h", 1)]), from: "h")
    #expect(map.primaries == [place(1), place(2)])
    #expect(map.place(of: 100) == place(1) && map.place(of: 101) == place(2))
    #expect(map.isWhole)
    map.move(100, to: place(3))
    #expect(map.place(of: 100) == place(3) && map.primaries.contains(place(3)))
    #expect(try !ClusterMap(reply([(0, 100, "h", 1)]), from: "h").isWhole)
    #expect(ClusterMap().place(of: 0) == nil)
    for bad in [
      .null, .array([.null]), .array([.array([.integer(1), .integer(2)])]),
      reply([(2, 1, "h", 1)]), reply([(0, 16_384, "h", 1)]), reply([(0, 1, "h", 0)]),
      reply([(0, 1, "h", 65_536)]),
    ] as [RESPValue] {
      #expect(throws: RedisProblem.malformed) { try ClusterMap(bad, from: "h") }
    }
  }

  @Test func redirections() throws {
    let moved = try #require(ClusterMap.Redirection("MOVED 3999 h:6381", from: "x"))
    #expect(moved.slot == 3999 && moved.place == place(6381) && !moved.isOnce)
    let asked = try #require(ClusterMap.Redirection("ASK 0 :6381", from: "h"))
    #expect(asked.place == place(6381) && asked.isOnce)
    #expect(ClusterMap.Redirection("it moves: MOVED 1 ::1:7", from: "x")?.place.host == "::1")
    for text in [
      "", "MOVED", "MOVED 1", "MOVED x h:1", "MOVED 16384 h:1", "MOVED 1 h", "MOVED 1 h:x",
    ] {
      #expect(ClusterMap.Redirection(text, from: "h") == nil)
    }
  }

  @Test func locations() throws {
    let location = try #require(RedisLocation("redis+cluster://u:p@a,b:7000"))
    #expect(location.isCluster && !location.isSecure)
    #expect(location.places == [.init(host: "a", port: 6379), .init(host: "b", port: 7000)])
    #expect(location.description == "redis+cluster://u:***@a:6379,b:7000")
    #expect(RedisLocation("rediss+cluster://a")?.isSecure == true)
    for text in [
      "redis+cluster://", "redis+cluster://a,", "redis+cluster://a/1", "redis+cluster://a/n/1",
    ] {
      #expect(RedisLocation(text) == nil)
    }
  }
}

/// Sessions in a cluster of three primaries.
@Suite(.enabled(if: RedisServer.isInstalled, "redis-server is not installed"))
struct RedisClusterTests {
  /// Three primaries, each with about a third of the slots.
  private struct Cluster {
    let servers: [RedisServer]
    let names = SessionKeys(isCluster: true)
    static let bounds = [0, 5461, 10_923, HashSlot.count]

    init() async throws {
      servers = (0..<3).map { _ in
        RedisServer(
          "--cluster-enabled yes", "--cluster-port \(RedisServer.freePort())",
          "--cluster-node-timeout 2000", "--cluster-require-full-coverage no", "--appendonly yes")
      }
      for (index, server) in servers.enumerated() {
        #expect(server.ask("CLUSTER SET-CONFIG-EPOCH \(index + 1)") == "+OK\r\n")
        #expect(
          server.ask("CLUSTER ADDSLOTSRANGE \(Self.bounds[index]) \(Self.bounds[index + 1] - 1)")
            == "+OK\r\n")
      }
      for server in servers.dropFirst() {
        let port =
          server.ask("CONFIG GET cluster-port").split(whereSeparator: \.isNewline).last ?? ""
        #expect(servers[0].ask("CLUSTER MEET 127.0.0.1 \(server.port) \(port)") == "+OK\r\n")
      }
      try await isWhole()
    }

    /// Waits until each node knows all slots.
    func isWhole() async throws {
      try await eventually {
        servers.allSatisfy { server in
          let info = server.ask("CLUSTER INFO")
          return info.contains("cluster_state:ok") && info.contains("cluster_slots_ok:16384")
        }
      }
    }

    func store(
      idle: Duration = .seconds(600), client limits: RedisClient.Limits? = nil
    ) throws -> RedisSessionStore {
      var location = RedisLocation(host: "127.0.0.1", port: servers[0].port)
      location.isCluster = true
      var client = RedisClient.Limits()
      (client.connect, client.stall, client.patience) = (.seconds(60), .seconds(60), .seconds(60))
      return try RedisSessionStore(
        location, durability: .answer,
        limits: RedisSessionLimits(idleTimeout: idle, lease: .seconds(300), patience: .seconds(60)),
        client: limits ?? client, served: [("m", "m")], report: { _ in })
    }

    func slot(_ id: String) -> Int {
      HashSlot.slot(of: names.session(.init(model: "m", id: id)))
    }

    func server(of id: String) -> Int { Self.bounds.lastIndex { $0 <= slot(id) } ?? 0 }

    /// Ids that a server has, each in another group.
    func ids(on server: Int, _ count: Int) -> [String] {
      var found: [String] = []
      var number = 0
      while found.count < count {
        let id = "s\(number)"
        number += 1
        if self.server(of: id) == server, !found.contains(where: { slot($0) == slot(id) }) {
          found.append(id)
        }
      }
      return found
    }
  }

  @Test func stepsListsAndEnds() async throws {
    let cluster = try await Cluster()
    let store = try cluster.store()
    try await eventually { store.problem == nil }
    let ids = (0..<60).map { "n\($0)" }
    #expect(Set(ids.map(cluster.server)) == [0, 1, 2])
    for id in ids { #expect(await store.make(StoreRoom.move(id, from: 0, steps: 1)) == nil) }
    // Another process goes on with them.
    let other = try cluster.store()
    try await eventually { other.problem == nil }
    for id in ids {
      let found = await other.take(id)
      #expect(found.state?.position == 1)
      let version = await other.look(id).version
      #expect(await other.make(StoreRoom.move(id, from: version, steps: 2)) == nil)
      #expect(await store.look(id).steps == 2)
    }
    #expect(await store.names() == ids.sorted())
    let version = await store.look("n0").version
    #expect(await store.make(StoreRoom.move("n0", from: version, steps: 3, ends: true)) == nil)
    #expect(await other.look("n0").finding == .ended(.ended))
    #expect(await other.names() == ids.dropFirst().sorted())
    // What a stale version moves is refused.
    #expect(await store.make(StoreRoom.move("n1", from: 5, steps: 9)) == .moved(id: "n1", steps: 2))
    try await eventually { store.statistics.usage["m"]?.count == 59 }
    await store.end()
    await other.end()
  }

  /// What a lease of one process keeps another one from, over all slots.
  @Test func requestsWithSeveralSessions() async throws {
    let cluster = try await Cluster()
    let (store, other) = (try cluster.store(), try cluster.store())
    try await eventually { store.problem == nil && other.problem == nil }
    let ids = (0..<3).map { cluster.ids(on: $0, 1)[0] }
    #expect(
      await store.make(
        StoreRoom.move(ids[0], from: 0, steps: 1), StoreRoom.move(ids[1], from: 0, steps: 1),
        StoreRoom.move(ids[2], from: 0, steps: 1)) == nil)
    let last = ids.max { cluster.names.group(of: $0) < cluster.names.group(of: $1) } ?? ""
    _ = await other.take(last)
    // It takes none where it does not get all.
    #expect(
      await store.take(ids[0], ids[1], ids[2]).failure == .leased(id: last, isUsed: true))
    for id in ids where id != last {
      let key = String(decoding: cluster.names.lease(.init(model: "m", id: id)), as: UTF8.self)
      let server = cluster.servers[cluster.server(of: id)]
      try await eventually { server.ask("EXISTS \(key)") == ":0\r\n" }
    }
    other.release([.init(model: "m", id: last)])
    try await eventually {
      let key = String(decoding: cluster.names.lease(.init(model: "m", id: last)), as: UTF8.self)
      return cluster.servers[cluster.server(of: last)].ask("EXISTS \(key)") == ":0\r\n"
    }
    guard case .success(let found) = await store.take(ids[0], ids[1], ids[2]) else {
      Issue.record("it was not taken")
      return
    }
    #expect(found.count == 3)
    // Of three moves the second meets another version: what was made is told.
    let order = ids.sorted { cluster.names.group(of: $0) < cluster.names.group(of: $1) }
    var versions: [String: Int] = [:]
    for id in ids { versions[id] = await store.look(id).version }
    let problem = await store.make(
      StoreRoom.move(order[0], from: versions[order[0]] ?? 0, steps: 2),
      StoreRoom.move(order[1], from: 7, steps: 2),
      StoreRoom.move(order[2], from: versions[order[2]] ?? 0, steps: 2))
    guard case .unsure(let reason) = problem else {
      Issue.record("\(String(describing: problem))")
      return
    }
    #expect(reason.contains("moved \(order[0]), not moved or not known \(order[1]), \(order[2])"))
    #expect(await store.look(order[0]).steps == 2)
    for id in order.dropFirst() { #expect(await store.look(id).steps == 1) }
    await store.end()
    await other.end()
  }

  /// A slot on its way to another node: its sessions fail or go on, none is lost, and nothing else notices.
  @Test func aSlotThatMoves() async throws {
    let cluster = try await Cluster()
    let store = try cluster.store()
    try await eventually { store.problem == nil }
    let (id, stays) = (cluster.ids(on: 0, 1)[0], cluster.ids(on: 1, 1)[0])
    for id in [id, stays] {
      #expect(await store.make(StoreRoom.move(id, from: 0, steps: 1)) == nil)
    }
    var version = await store.look(id).version
    let (source, target) = (cluster.servers[0], cluster.servers[2])
    func name(_ server: RedisServer) -> String {
      String(server.ask("CLUSTER MYID").split(whereSeparator: \.isNewline).last ?? "")
    }
    let slot = cluster.slot(id)
    #expect(target.ask("CLUSTER SETSLOT \(slot) IMPORTING \(name(source))") == "+OK\r\n")
    #expect(source.ask("CLUSTER SETSLOT \(slot) MIGRATING \(name(target))") == "+OK\r\n")
    // Keys that are not there are asked for at the target, which has not all of them: a failure of this session alone.
    let meanwhile = await store.make(StoreRoom.move(id, from: version, steps: 2))
    if meanwhile == nil { version += 1 }
    let steps = meanwhile == nil ? 2 : 1
    var other = await store.look(stays).version
    #expect(await store.make(StoreRoom.move(stays, from: other, steps: 2)) == nil)
    other += 1
    let keys = source.ask("CLUSTER GETKEYSINSLOT \(slot) 100").split(whereSeparator: \.isNewline)
      .filter { $0.hasPrefix("carousel:") }
    #expect(!keys.isEmpty)
    for key in keys {
      #expect(source.ask("MIGRATE 127.0.0.1 \(target.port) \(key) 0 60000") == "+OK\r\n")
    }
    // One key alone is found where it has gone.
    let key = cluster.names.session(.init(model: "m", id: id))
    let value = await withCheckedContinuation { continuation in
      store.client.ask(
        RedisRequest(
          .command([Array("GETRANGE".utf8), key, [0x38], [0x38]]), due: .now + .seconds(60)
        ) {
          continuation.resume(returning: $0)
        })
    }
    #expect(value == .success(.bytes([UInt8(steps)])))
    for server in [target, source, cluster.servers[1]] {
      #expect(server.ask("CLUSTER SETSLOT \(slot) NODE \(name(target))") == "+OK\r\n")
    }
    // MOVED leads to the target.
    #expect(await store.look(id).steps == steps)
    #expect(await store.make(StoreRoom.move(id, from: version, steps: steps + 1)) == nil)
    #expect(await store.look(id).steps == steps + 1)
    #expect(await store.make(StoreRoom.move(stays, from: other, steps: 3)) == nil)
    await store.end()
  }

  /// A primary that is killed takes its own slots, and it is back without a restart of anything else.
  @Test func aPrimaryThatIsKilled() async throws {
    let cluster = try await Cluster()
    var limits = RedisClient.Limits()
    (limits.connect, limits.stall, limits.patience) = (.seconds(60), .seconds(60), .seconds(20))
    let store = try cluster.store(client: limits)
    try await eventually { store.problem == nil }
    let (gone, stays) = (cluster.ids(on: 1, 1)[0], cluster.ids(on: 2, 1)[0])
    for id in [gone, stays] {
      #expect(await store.make(StoreRoom.move(id, from: 0, steps: 1)) == nil)
    }
    let versions = (gone: await store.look(gone).version, stays: await store.look(stays).version)
    cluster.servers[1].end()
    while case .success = await store.take(gone) { store.release([.init(model: "m", id: gone)]) }
    #expect(store.problem == nil)
    #expect(await store.make(StoreRoom.move(stays, from: versions.stays, steps: 2)) == nil)
    cluster.servers[1].start()
    try await cluster.isWhole()
    while case .failure = await store.take(gone) { try await Task.sleep(for: .milliseconds(1)) }
    #expect(await store.make(StoreRoom.move(gone, from: versions.gone, steps: 2)) == nil)
    #expect(await store.look(gone).steps == 2)
    await store.end()
  }

  /// A Redis alone is no cluster, and a node of one is no Redis alone.
  @Test func oneForTheOther() async throws {
    let alone = RedisServer()
    var location = RedisLocation(host: "127.0.0.1", port: alone.port)
    location.isCluster = true
    #expect(throws: RedisProblem.self) {
      try RedisSessionStore(
        location, durability: .answer, limits: RedisSessionLimits(patience: .seconds(60)),
        client: .init(), report: { _ in })
    }
    let node = RedisServer("--cluster-enabled yes", "--cluster-port \(RedisServer.freePort())")
    #expect(throws: RedisProblem.self) {
      try RedisSessionStore(
        RedisLocation(host: "127.0.0.1", port: node.port), durability: .answer,
        limits: RedisSessionLimits(patience: .seconds(60)), client: .init(), report: { _ in })
    }
  }
}
