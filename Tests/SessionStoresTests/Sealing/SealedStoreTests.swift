import Scheduling
import Synchronization
import TestSupport
import Testing

@testable import SessionStores

/// A file whose states are encrypted.
@Suite struct SealedStoreTests {
  private static func key(_ name: String, _ byte: UInt8) -> StateKey {
    StateKey(name: name, bytes: [UInt8](repeating: byte, count: 32))
  }

  private static let (old, new) = (key("old", 1), key("new", 2))

  @Test func statesAreNotInTheFile() async throws {
    let room = StoreRoom()
    let store = try room.store(keys: [Self.old])
    #expect(await store.make(StoreRoom.move("s", from: 0, steps: 1)) == nil)
    #expect(await store.make(StoreRoom.move("s", from: 1, steps: 2)) == nil)
    #expect(await store.tell("s") == "2/2")
    await store.end()
    let database = try SQLiteDatabase(path: room.path)
    let row = try database.prepare("SELECT checksum, state FROM session")
    #expect(try row.next())
    #expect(row.integer(0) == -1)
    #expect(StateSealing.keyName(of: row.bytes(1)) == "old")
    // The name and its length, the check, nonce and tag, three floats.
    let sealedByteCount = 4 + 4 + 28 + 12
    #expect(row.bytes(1).count == sealedByteCount)
  }

  /// A new first key is for what is written, the old one for what was.
  @Test func keysAreReplaced() async throws {
    let room = StoreRoom()
    var store = try room.store(keys: [Self.old])
    for id in ["a", "b"] { #expect(await store.make(StoreRoom.move(id, from: 0, steps: 1)) == nil) }
    await store.end()
    store = try room.store(keys: [Self.new, Self.old])
    for id in ["a", "b"] { #expect(await store.tell(id) == "1/1") }
    #expect(await store.make(StoreRoom.move("a", from: 1, steps: 2)) == nil)
    await store.end()
    // What has moved since needs the old key no more; the other one waits for it.
    store = try room.store(keys: [Self.new])
    #expect(await store.tell("a") == "2/2")
    for _ in 0..<2 {
      #expect(await store.tell("b").contains("encrypted with a key old"))
    }
    #expect(room.reports.withLock { $0.count } == 1)
    #expect(store.problem == nil && !store.statistics.isFailing)
    await store.end()
    store = try room.store(keys: [Self.new, Self.old])
    #expect(await store.tell("b") == "1/1")
    await store.end()
  }

  @Test func withoutKeysNothingIsLost() async throws {
    let room = StoreRoom()
    var store = try room.store(keys: [Self.old])
    #expect(await store.make(StoreRoom.move("s", from: 0, steps: 1)) == nil)
    await store.end()
    store = try room.store()
    #expect(await store.tell("s").contains("encrypted with a key old"))
    #expect(await store.make(StoreRoom.move("plain", from: 0, steps: 1)) == nil)
    await store.end()
    // And what was written without keys goes on with them.
    store = try room.store(keys: [Self.old])
    #expect(await store.tell("s") == "1/1")
    #expect(await store.tell("plain") == "1/1")
    await store.end()
  }

  /// Also what a program that can write the file, but has no key, puts together from what is there.
  @Test(arguments: [
    "UPDATE session SET steps = steps + 1 WHERE id = 'a'",
    "UPDATE session SET version = version + 1 WHERE id = 'a'",
    "UPDATE session SET state = (SELECT state FROM session WHERE id = 'b') WHERE id = 'a'",
    "UPDATE session SET id = 'c' WHERE id = 'a'; UPDATE session SET id = 'a' WHERE id = 'b'",
    "UPDATE session SET state = x'00' WHERE id = 'a'",
    "UPDATE session SET state = x'' WHERE id = 'a'",
    "UPDATE session SET state = substr(state, 1, length(state) - 1) WHERE id = 'a'",
    "UPDATE session SET checksum = 7 WHERE id = 'a'",
  ])
  func rowsCantBeExchanged(damage: String) async throws {
    let room = StoreRoom()
    var store = try room.store(keys: [Self.old])
    for id in ["a", "b"] { #expect(await store.make(StoreRoom.move(id, from: 0, steps: 1)) == nil) }
    await store.end()
    try room.execute(damage)
    store = try room.store(keys: [Self.old])
    #expect(await store.tell("a") == "damaged")
    #expect(store.statistics.endCounts == [.damaged: 1])
    await store.end()
  }

  @Test func anotherKeyOfTheSameNameDestroysNothing() async throws {
    let room = StoreRoom()
    var store = try room.store(keys: [Self.old])
    #expect(await store.make(StoreRoom.move("s", from: 0, steps: 1)) == nil)
    await store.end()
    store = try room.store(keys: [Self.key("old", 9)])
    #expect(
      await store.tell("s").contains("encrypted with another key old than the one of that name"))
    await store.end()
    store = try room.store(keys: [Self.old])
    #expect(await store.tell("s") == "1/1")
    await store.end()
  }
}
