import Glibc
import Inference
import Synchronization
import TestSupport
import Testing

@testable import Scheduling
@testable import SessionStores

/// What a file of sessions keeps, tells and refuses.
@Suite struct FileSessionStoreTests {
  private static func move(
    _ id: String, from version: Int, steps: Int, model: String = "m", ends: Bool = false
  ) -> SessionMove { StoreRoom.move(id, from: version, steps: steps, model: model, ends: ends) }

  @Test(arguments: SessionDurability.allCases)
  func statesOutliveStores(durability: SessionDurability) async throws {
    let room = StoreRoom()
    for round in 0..<5 {
      let store = try room.store(durability)
      #expect(await store.tell("s") == (round == 0 ? "unknown" : "\(round)/\(round)"))
      #expect(await store.make(Self.move("s", from: round, steps: round + 1)) == nil)
      #expect(store.statistics.usage["m"]?.count == 1)
      #expect(await store.end())
    }
  }

  /// A process that is killed writes no last word: its file is opened as it stands.
  @Test func whatIsAnsweredIsInTheFile() async throws {
    let room = StoreRoom()
    let store = try room.store()
    #expect(await store.make(Self.move("s", from: 0, steps: 7)) == nil)
    // The files as another process would find them now.
    let copy = StoreRoom()
    for name in ["", "-wal"] { try copyFile(room.path + name, copy.path + name) }
    let other = try copy.store()
    #expect(await other.tell("s") == "7/1")
    await other.end()
    await store.end()
  }

  /// Each second, so that the log neither grows for ever nor is lost to a power cut.
  @Test func theLogIsCopiedIntoTheDatabase() async throws {
    let room = StoreRoom()
    let store = try room.store()
    #expect(await store.make(Self.move("s", from: 0, steps: 7)) == nil)
    let copy = StoreRoom()
    try await eventually {
      // The database alone, as if its log had been lost.
      try copyFile(room.path, copy.path)
      let rows = try? SQLiteDatabase(path: copy.path).number("SELECT count(*) FROM session")
      return rows == 1
    }
    await store.end()
  }

  private func copyFile(_ from: String, _ to: String) throws {
    let (source, target) = (fopen(from, "r")!, fopen(to, "w")!)
    defer {
      fclose(source)
      fclose(target)
    }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&buffer, 1, buffer.count, source), count > 0 {
      #expect(fwrite(buffer, 1, count, target) == count)
    }
  }

  /// Compare and set: whoever believes in another version moves nothing, and learns the steps.
  @Test func noUpdateIsLost() async throws {
    let room = StoreRoom()
    let store = try room.store()
    #expect(await store.make(Self.move("s", from: 0, steps: 1)) == nil)
    #expect(await store.make(Self.move("s", from: 0, steps: 5)) == .moved(id: "s", steps: 1))
    #expect(await store.make(Self.move("s", from: 1, steps: 2)) == nil)
    #expect(await store.make(Self.move("s", from: 1, steps: 9)) == .moved(id: "s", steps: 2))
    #expect(
      await store.make(Self.move("s", from: 1, steps: 9, ends: true)) == .moved(id: "s", steps: 2))
    #expect(await store.make(Self.move("t", from: 3, steps: 9)) == .moved(id: "t", steps: nil))
    #expect(await store.tell("s") == "2/2")
    #expect(await store.tell("t") == "unknown")
    await store.end()
  }

  @Test func ofARequestAllOrNone() async throws {
    let room = StoreRoom()
    let store = try room.store()
    #expect(await store.make(Self.move("b", from: 0, steps: 1)) == nil)
    let refused = await store.make(
      Self.move("a", from: 0, steps: 1), Self.move("b", from: 7, steps: 8),
      Self.move("c", from: 0, steps: 1))
    #expect(refused == .moved(id: "b", steps: 1))
    #expect(await store.tell("a") == "unknown")
    #expect(store.statistics.usage["m"]?.count == 1)
    #expect(
      await store.make(Self.move("a", from: 0, steps: 1), Self.move("b", from: 1, steps: 2)) == nil)
    #expect(await store.tell("a") == "1/1")
    #expect(await store.tell("b") == "2/2")
    await store.end()
  }

  @Test func endsAreRemembered() async throws {
    let room = StoreRoom()
    var store = try room.store()
    #expect(await store.make(Self.move("s", from: 0, steps: 1)) == nil)
    #expect(await store.make(Self.move("s", from: 1, steps: 2, ends: true)) == nil)
    #expect(await store.make(Self.move("at once", from: 0, steps: 2, ends: true)) == nil)
    #expect(await store.tell("s") == "ended")
    #expect(store.statistics.usage["m"]?.count == 0)
    #expect(store.statistics.usage["m"]?.byteCount == 0)
    #expect(store.statistics.endCounts == [.ended: 2])
    await store.end()
    store = try room.store()
    #expect(await store.tell("s") == "ended")
    #expect(await store.tell("at once") == "ended")
    // A name that is used anew says nothing of the old end.
    #expect(await store.make(Self.move("s", from: 0, steps: 4)) == nil)
    #expect(await store.tell("s") == "4/1")
    await store.end()
  }

  @Test func expires() async throws {
    let room = StoreRoom()
    let store = try room.store(idleTimeout: .seconds(10))
    for id in ["a", "b"] { #expect(await store.make(Self.move(id, from: 0, steps: 1)) == nil) }
    room.advance(by: 9999)
    #expect(await store.tell("a") == "1/1")
    #expect(await store.make(Self.move("b", from: 1, steps: 2)) == nil)
    room.advance(by: 1)
    #expect(await store.tell("a") == "expired")
    #expect(await store.tell("b") == "2/2")
    room.advance(by: 20_000)
    // The timer comes each second.
    try await eventually { store.statistics.usage["m"]?.count == 0 }
    #expect(store.statistics.endCounts == [.expired: 2])
    await store.end()
  }

  @Test func whatIsInUseDoesNotExpire() async throws {
    let room = StoreRoom()
    let store = try room.store(idleTimeout: .seconds(10))
    store.attach { key, _ in key.id != "open" }
    for id in ["open", "idle"] {
      #expect(await store.make(Self.move(id, from: 0, steps: 1)) == nil)
    }
    room.advance(by: 20_000)
    try await eventually { store.statistics.usage["m"]?.count == 1 }
    #expect(await store.tell("open") == "1/1")
    #expect(await store.tell("idle") == "expired")
    await store.end()
  }

  @Test func whatIsCopiedIsUsed() async throws {
    let room = StoreRoom()
    let store = try room.store(idleTimeout: .seconds(10))
    for id in ["a", "b"] { #expect(await store.make(Self.move(id, from: 0, steps: 1)) == nil) }
    room.advance(by: 6000)
    store.touch([.init(model: "m", id: "a"), .init(model: "none", id: "a")])
    #expect(await store.tell("a") == "1/1")
    room.advance(by: 6000)
    #expect(await store.tell("a") == "1/1")
    #expect(await store.tell("b") == "expired")
    await store.end()
  }

  /// Exactly the least recently used go, whatever the index says; one that is open stays.
  @Test func evicts() async throws {
    let room = StoreRoom()
    let size = SessionTable.byteCount(of: .init(model: "m", id: "a"), floatCount: 3)
    let store = try room.store(maxBytes: 3 * size)
    store.attach { key, _ in key.id != "b" }
    for id in ["a", "b", "c"] {
      #expect(await store.make(Self.move(id, from: 0, steps: 1)) == nil)
      room.advance(by: 10)
    }
    #expect(await store.make(Self.move("a", from: 1, steps: 2)) == nil)
    room.advance(by: 10)
    #expect(await store.make(Self.move("d", from: 0, steps: 1)) == nil)
    #expect(await store.tell("c") == "storeFull")
    for id in ["a", "b", "d"] { #expect(await store.tell(id).hasSuffix("/\(id == "a" ? 2 : 1)")) }
    #expect(store.statistics.usage["m"]?.byteCount == 3 * size)
    #expect(store.statistics.endCounts == [.storeFull: 1])
    await store.end()
  }

  /// A bound that is lower than before is kept without any request.
  @Test func aLowerBoundHoldsFromTheStart() async throws {
    let room = StoreRoom()
    let size = SessionTable.byteCount(of: .init(model: "m", id: "a"), floatCount: 3)
    var store = try room.store()
    for id in ["a", "b", "c", "d"] {
      #expect(await store.make(Self.move(id, from: 0, steps: 1)) == nil)
      room.advance(by: 10)
    }
    await store.end()
    store = try room.store(maxBytes: 2 * size)
    #expect(store.maxBytes == 2 * size)
    #expect(room.reports.withLock { $0.count } == 1)
    #expect(
      room.reports.withLock { $0[0].hasPrefix("holds sessions of \(4 * size) bytes, more than") })
    try await eventually { store.statistics.usage["m"]?.byteCount == 2 * size }
    for id in ["a", "b"] { #expect(await store.tell(id) == "storeFull") }
    for id in ["c", "d"] { #expect(await store.tell(id) == "1/1") }
    await store.end()
  }

  /// Where all is open nothing can go, and nobody waits for it.
  @Test func nothingToEvict() async throws {
    let room = StoreRoom()
    let store = try room.store(maxBytes: 1)
    store.attach { _, _ in false }
    for id in ["a", "b", "c"] {
      #expect(await store.make(Self.move(id, from: 0, steps: 1)) == nil)
      room.advance(by: 1)
    }
    #expect(store.statistics.usage["m"]?.count == 3)
    await store.end()
  }

  @Test(arguments: [
    "UPDATE session SET state = zeroblob(12)", "UPDATE session SET steps = steps + 1",
    "UPDATE session SET version = version + 1", "UPDATE session SET state = zeroblob(11)",
    "UPDATE session SET checksum = checksum + 1", "UPDATE session SET id = 'other'",
  ])
  func damagedEntriesAreTold(damage: String) async throws {
    let room = StoreRoom()
    var store = try room.store()
    #expect(await store.make(Self.move("s", from: 0, steps: 1)) == nil)
    await store.end()
    try room.execute(damage)
    store = try room.store()
    let id = damage.hasSuffix("'other'") ? "other" : "s"
    #expect(await store.tell(id) == "damaged")
    #expect(room.reports.withLock { $0.count } == 1)
    #expect(await store.tell(id) == "damaged")
    #expect(store.statistics.endCounts == [.damaged: 1])
    #expect(await store.make(Self.move(id, from: 0, steps: 3)) == nil)
    #expect(await store.tell(id) == "3/1")
    await store.end()
  }

  @Test func aStateOfOtherSizeIsNotGoneOnWith() async throws {
    let room = StoreRoom()
    let store = try room.store()
    #expect(await store.make(Self.move("s", from: 0, steps: 1)) == nil)
    #expect(await store.tell("s", floatCount: 4) == "damaged")
    await store.end()
  }

  @Test func anotherModelHasTheName() async throws {
    let room = StoreRoom()
    var store = try room.store(served: [("air", "f1"), ("sea", "f2")])
    #expect(await store.make(Self.move("s", from: 0, steps: 1, model: "f1")) == nil)
    #expect(await store.tell("s", model: "f2") == "unknown")
    await store.end()
    store = try room.store(served: [("air", "f3"), ("sea", "f2")])
    #expect(await store.tell("s", model: "f3") == "otherModel")
    #expect(await store.tell("t", model: "f3") == "unknown")
    #expect(await store.tell("s", model: "f2") == "unknown")
    await store.end()
    // A model that computes the same goes on under any name.
    store = try room.store(served: [("wind", "f1"), ("air", "f3")])
    #expect(await store.tell("s", model: "f1") == "1/1")
    await store.end()
  }

  @Test func lists() async throws {
    let room = StoreRoom()
    let store = try room.store()
    for id in ["a", "b", "c"] {
      #expect(await store.make(Self.move(id, from: 0, steps: 1)) == nil)
      room.advance(by: 1000)
    }
    #expect(await store.make(Self.move("x", from: 0, steps: 1, model: "n")) == nil)
    #expect(await store.ids() == ["c", "b", "a"])
    #expect(await store.ids(limit: 2) == ["c", "b"])
    #expect(await store.ids(model: "n") == ["x"])
    #expect(await store.ids(model: "none") == [])
    await store.end()
  }

  @Test func oneProcessAFile() async throws {
    let room = StoreRoom()
    let store = try room.store()
    #expect(throws: FileStoreError.taken) { try room.store(patience: .zero) }
    await store.end()
    let next = try room.store()
    #expect(await next.make(Self.move("s", from: 0, steps: 1)) == nil)
    await next.end()
  }

  /// Also by another of its names, and where somebody has removed what was locked beside it.
  @Test(arguments: ["a hard link", "a symbolic link", "no lock beside it"])
  func oneProcessAFileByAnyName(kind: String) async throws {
    let room = StoreRoom()
    let store = try room.store()
    let other = kind == "no lock beside it" ? room.path : room.path + ".other"
    let result =
      switch kind {
      case "a hard link": link(room.path, other)
      case "a symbolic link": symlink(room.path, other)
      default: unlink(room.path + ".lock")
      }
    #expect(result == 0)
    #expect(throws: FileStoreError.taken) {
      try FileSessionStore(path: other, patience: .zero)
    }
    #expect(throws: FileStoreError.taken) { try StoredSessions(path: other, sealing: nil) }
    await store.end()
    await (try FileSessionStore(path: room.path, patience: .zero)).end()
  }

  @Test func onlyRegularFiles() throws {
    let room = StoreRoom()
    try #require(mkfifo(room.path, 0o600) == 0)
    #expect(throws: FileStoreError.noFile) { try room.store() }
    #expect(throws: FileStoreError.noFile) { try StoredSessions(path: room.path, sealing: nil) }
    #expect(access(room.path + ".lock", F_OK) != 0)
  }

  @Test(arguments: ["text", "CREATE TABLE other(x)", "PRAGMA user_version = 9"])
  func otherFilesAreLeftAsTheyAre(content: String) async throws {
    let room = StoreRoom()
    if content == "text" {
      let file = fopen(room.path, "w")!
      fputs(String(repeating: "no database at all ", count: 100), file)
      fclose(file)
    } else {
      if content.hasPrefix("PRAGMA") {
        await (try room.store()).end()
      } else {
        fclose(fopen(room.path, "w"))
      }
      try room.execute(content)
    }
    let expected: FileStoreError =
      content.hasPrefix("PRAGMA") ? .otherLayout(found: 9) : .otherFile
    #expect(throws: expected) { try room.store() }
  }

  /// A store that is closed refuses, at once and to everybody.
  @Test func afterTheEnd() async throws {
    let room = StoreRoom()
    let store = try room.store()
    await store.end()
    #expect(store.problem == .closed)
    #expect(await store.make(Self.move("s", from: 0, steps: 1)) == .closed)
    #expect(await store.tell("s") == "closed")
    #expect(await store.ids() == [])
    #expect(await store.end())
  }

  /// A file that is taken away takes no session with it in silence; when it is back, all is.
  @Test func theFileIsGoneForAWhile() async throws {
    let room = StoreRoom()
    let store = try room.store()
    #expect(await store.make(Self.move("s", from: 0, steps: 1)) == nil)
    // Copied into the database by then, so that the file alone has all.
    try room.execute("PRAGMA wal_checkpoint(PASSIVE)")
    #expect(rename(room.path, room.path + ".away") == 0)
    for _ in 0..<3 {
      guard case .failing = await store.make(Self.move("s", from: 1, steps: 2)) else {
        Issue.record("a move that nobody would find")
        return
      }
    }
    #expect(await store.tell("t").hasPrefix("failing"))
    #expect(store.statistics.failures > 3)
    #expect(rename(room.path + ".away", room.path) == 0)
    #expect(await store.make(Self.move("s", from: 1, steps: 2)) == nil)
    #expect(await store.tell("s") == "2/2")
    #expect(room.reports.withLock { $0.last } == "works again")
    await store.end()
  }

  /// Many at once share commits, and each is answered once.
  @Test(arguments: SessionDurability.allCases)
  func manyShareCommits(durability: SessionDurability) async throws {
    let room = StoreRoom()
    let store = try room.store(durability)
    let (clients, steps) = (40, 25)
    await withTaskGroup(of: Void.self) { group in
      for client in 0..<clients {
        group.addTask {
          for step in 0..<steps {
            #expect(await store.make(Self.move("s\(client)", from: step, steps: step + 1)) == nil)
          }
        }
      }
    }
    let statistics = store.statistics
    #expect(statistics.moves == clients * steps)
    #expect(statistics.commits <= clients * steps)
    for client in 0..<clients { #expect(await store.tell("s\(client)") == "\(steps)/\(steps)") }
    await store.end()
  }
}
