import Glibc
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
    guard found.count == 3, case .locked(_, MissingKey("k")) = found[0],
      case .locked(_, MissingKey("k")) = found[1],
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
      #expect(try source.remove(Array(found.prefix(2))) == [])
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

  /// A page that can't be read takes its own sessions, whose names its indexes still have.
  @Test func damagedPagesArePassedOver() async throws {
    let room = StoreRoom()
    try await fill(room, 500)
    let damaged = try damagePages(of: room, with: ["s250", "s499"])
    #expect(damaged == 2)
    let sessions = try StoredSessions(path: room.path, sealing: nil)
    let found = try all(sessions)
    #expect(!sessions.isCut)
    #expect(found.count == 500)
    var ids: Set<String> = []
    var unreadable: [String] = []
    for finding in found {
      switch finding {
      case .session(let session): ids.insert(session.key.id)
      case .unreadable(let key): unreadable.append(try #require(key).id)
      case .damaged, .locked: Issue.record("\(finding)")
      }
    }
    #expect(unreadable.contains("s250") && unreadable.contains("s499"))
    #expect(unreadable.count < 250)
    #expect(ids.union(unreadable).count == 500)
    #expect(try !sessions.flaws().isEmpty)
    // What moves away leaves as far as the damage lets it.
    let readable = found.compactMap { finding -> StoredSession? in
      if case .session(let session) = finding { session } else { nil }
    }
    let stuck = try sessions.remove(readable)
    #expect(stuck.count < readable.count)
    #expect(try sessions.remove(Array(readable.prefix(1))) == [])
  }

  /// Writes over the leaves of the table (their first byte is 13) that have sessions of these ids; returns how many that are.
  private func damagePages(of room: StoreRoom, with ids: [String]) throws -> Int {
    let file = try #require(fopen(room.path, "r+"))
    defer { fclose(file) }
    var (page, count) = ([UInt8](repeating: 0, count: 4096), 0)
    var number = 0
    while fread(&page, 1, page.count, file) == page.count {
      number += 1
      guard page[0] == 13, ids.contains(where: { page.firstRange(of: Array($0.utf8)) != nil })
      else {
        continue
      }
      fseek(file, (number - 1) * page.count, SEEK_SET)
      fwrite([UInt8](repeating: 0xFF, count: 64), 1, 64, file)
      fseek(file, number * page.count, SEEK_SET)
      count += 1
    }
    return count
  }

  /// What a file keeps beside its sessions goes along; what the other one has stays.
  @Test func endsAndNamesAreMoved() async throws {
    let (from, to) = (StoreRoom(), StoreRoom())
    let source = try from.store(served: [("air", "m")])
    for id in ["a", "b", "c"] {
      #expect(await source.make(StoreRoom.move(id, from: 0, steps: 1)) == nil)
      #expect(await source.make(StoreRoom.move(id, from: 1, steps: 2, ends: true)) == nil)
    }
    await source.end()
    try from.execute("UPDATE ended SET reason = 2 WHERE id IN ('b', 'c')")
    let target = try to.store()
    #expect(await target.make(StoreRoom.move("a", from: 0, steps: 5)) == nil)
    #expect(await target.make(StoreRoom.move("c", from: 0, steps: 5)) == nil)
    #expect(await target.make(StoreRoom.move("c", from: 1, steps: 6, ends: true)) == nil)
    await target.end()
    do {
      let source = try StoredSessions(path: from.path, sealing: nil)
      let target = try StoredSessions(path: to.path, sealing: nil)
      try target.add(try source.names())
      #expect(try target.modelNames() == ["m": "air"])
      let ends = try source.firstEnds()
      #expect(ends.map(\.key.id) == ["a", "b", "c"])
      // A second time changes nothing, as after an interruption.
      for _ in 0..<2 { try target.add(ends) }
      try source.remove(ends)
      #expect(try source.firstEnds() == [])
    }
    let next = try to.store()
    #expect(await next.tell("a") == "5/1")
    #expect(await next.tell("b") == "expired")
    #expect(await next.tell("c") == "ended")
    await next.end()
  }
}
