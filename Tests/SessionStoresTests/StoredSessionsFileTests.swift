import Scheduling
import TestSupport
import Testing

@testable import SessionStores

/// A file that commands read and write while no server has it.
@Suite struct StoredSessionsFileTests {
  private func fill(_ room: StoreRoom, _ count: Int, keys: [StateKey] = []) async throws {
    let store = try room.store(keys: keys)
    for index in 0..<count {
      #expect(await store.make(StoreRoom.move("s\(index)", from: 0, steps: index + 1)) == nil)
    }
    await store.end()
  }

  private func all(_ sessions: StoredSessions) throws -> [StoredSessions.Finding] {
    var found: [StoredSessions.Finding] = []
    while case let batch = try sessions.next(), !batch.isEmpty {
      #expect(batch.count <= StoredSessions.batchCount)
      found += batch
    }
    return found
  }

  @Test(arguments: [0, 1, 63, 64, 65, 200])
  func allAreFound(count: Int) async throws {
    let room = StoreRoom()
    try await fill(room, count)
    let found = try all(StoredSessions(path: room.path, sealing: nil))
    #expect(found.count == count)
    for (index, finding) in found.enumerated() {
      guard case .session(let session) = finding else {
        Issue.record("\(finding)")
        continue
      }
      #expect(session.key == .init(model: "m", id: "s\(index)"))
      #expect(session.version == 1 && session.steps == index + 1)
      #expect(session.floats == StoreRoom.state(index + 1).floats)
    }
  }

  @Test func theDamagedAndTheLockedAreTold() async throws {
    let room = StoreRoom()
    try await fill(room, 2, keys: [StateKey(name: "k", bytes: [UInt8](repeating: 1, count: 32))])
    try await fill(room, 0)
    let store = try room.store()
    #expect(await store.make(StoreRoom.move("plain", from: 0, steps: 1)) == nil)
    await store.end()
    try room.execute("UPDATE session SET steps = 7 WHERE id = 'plain'")
    let sessions = try StoredSessions(path: room.path, sealing: nil)
    let found = try all(sessions)
    guard found.count == 3, case .locked(_, "k") = found[0], case .locked(_, "k") = found[1],
      case .damaged(let session) = found[2]
    else {
      Issue.record("\(found)")
      return
    }
    #expect(session.key.id == "plain")
    #expect(try sessions.flaws() == [])
  }

  /// What was added is what a server finds, and counts; what is there stays.
  @Test func additionsAreAServersSessions() async throws {
    let (from, to) = (StoreRoom(), StoreRoom())
    try await fill(from, 3)
    let sealing = StateSealing([StateKey(name: "k", bytes: [UInt8](repeating: 1, count: 32))])
    try await fill(to, 1)
    do {
      let source = try StoredSessions(path: from.path, sealing: nil)
      let target = try StoredSessions(path: to.path, sealing: sealing)
      let found = try source.next().compactMap { finding -> StoredSession? in
        if case .session(let session) = finding { session } else { nil }
      }
      // s0 is the same in both; a second time all are.
      for _ in 0..<2 { #expect(try target.add(found) == []) }
      let other = StoredSession(
        key: found[1].key, version: 9, steps: 9, created: 0, used: 0, floats: [1, 2, 3])
      #expect(try target.add([other]) == [other])
      try source.remove(Array(found.prefix(2)))
    }
    let target = try to.store(
      keys: [StateKey(name: "k", bytes: [UInt8](repeating: 1, count: 32))])
    for index in 0..<3 { #expect(await target.tell("s\(index)") == "\(index + 1)/1") }
    let size = SessionTable.byteCount(of: .init(model: "m", id: "s0"), floatCount: 3)
    #expect(target.statistics.usage["m"]?.count == 3)
    #expect(target.statistics.usage["m"]?.byteCount == 3 * size)
    await target.end()
    let source = try from.store()
    #expect(source.statistics.usage["m"]?.count == 1)
    #expect(source.statistics.usage["m"]?.byteCount == size)
    #expect(await source.tell("s1") == "unknown")
    #expect(await source.tell("s2") == "3/1")
    await source.end()
  }

  @Test func aServersFileIsLeftAlone() async throws {
    let room = StoreRoom()
    let store = try room.store()
    #expect(throws: FileStoreError.taken) { try StoredSessions(path: room.path, sealing: nil) }
    await store.end()
  }

  @Test func noFileIsMadeToReadIt() {
    let room = StoreRoom()
    #expect(throws: FileStoreError.system(code: 2)) {
      try StoredSessions(path: room.path, sealing: nil)
    }
  }
}
