import Inference
import Scheduling
import Synchronization
import TestSupport
import Testing

@testable import SessionStores

/// A disk that is full stops the store for no longer than it is full, and takes nothing.
@Suite struct FullDiskTests {
  private static let floatCount = 1000

  private static func move(_ id: String, from version: Int) -> SessionMove {
    SessionMove(
      key: .init(model: "m", id: id), version: version,
      state: StoreRoom.state(version + 1, floats: floatCount), isAnew: version == 0, ends: false)
  }

  /// The log alone would take all of this disk, and the database have no room for what is in it.
  @Test func theLogLeavesRoomForTheDatabase() async throws {
    let room = StoreRoom(capacity: 6 << 20)
    let store = try room.store()
    let (sessions, steps) = (50, 60)
    for step in 0..<steps {
      for session in 0..<sessions {
        #expect(await store.make(Self.move("s\(session)", from: step)) == nil)
      }
    }
    for session in 0..<sessions {
      #expect(await store.tell("s\(session)", floatCount: Self.floatCount) == "\(steps)/\(steps)")
    }
    #expect(store.statistics.failures == 0)
    await store.end()
  }

  /// Beyond its bound the file reuses its pages.
  @Test func aBoundBelowTheDiskIsKept() async throws {
    let room = StoreRoom(capacity: 8 << 20)
    let store = try room.store(maxBytes: 2 << 20)
    for session in 0..<3000 {
      room.advance(by: 1)
      #expect(await store.make(Self.move("s\(session)", from: 0)) == nil)
    }
    #expect(store.statistics.failures == 0)
    #expect(store.statistics.endCounts[.storeFull] ?? 0 > 2000)
    await store.end()
  }

  @Test func aFullDiskIsToldAndOutlived() async throws {
    let room = StoreRoom(capacity: 1 << 40)
    var store = try room.store()
    var count = 0
    for round in 1...3 {
      while count < round * 500 {
        #expect(await store.make(Self.move("s\(count)", from: 0)) == nil)
        count += 1
      }
      room.setRoom(0)
      // What the file has room for inside is used up first.
      var refusals = 0
      while refusals == 0, count < 10_000 {
        switch await store.make(Self.move("s\(count)", from: 0)) {
        case nil: count += 1
        case .failing: refusals += 1
        case let other: Issue.record("\(other!)")
        }
      }
      #expect(refusals == 1)
      #expect(store.statistics.isFailing)
      // All that was told is there, and what needs no more room goes on.
      for session in 0..<200 {
        let id = "s\(session)"
        #expect(await store.tell(id, floatCount: Self.floatCount) == "\(round)/\(round)")
        #expect(await store.make(Self.move(id, from: round)) == nil)
      }
      #expect(await store.tell("s\(count)", floatCount: Self.floatCount) == "unknown")
      if round == 2 {
        // Also in the next process.
        await store.end()
        room.setRoom(2 << 20)
        store = try room.store()
        continue
      }
      room.setRoom(8 << 20)
      #expect(await store.make(Self.move("s\(count)", from: 0)) == nil)
      count += 1
    }
    #expect(room.reports.withLock { $0.contains("works again") })
    for session in 0..<count {
      let steps = session < 200 ? 4 : 1
      #expect(await store.tell("s\(session)", floatCount: Self.floatCount) == "\(steps)/\(steps)")
    }
    await store.end()
  }

  /// A start needs no room: sessions wait until there is some, the file's own or a new one's.
  @Test(arguments: [true, false])
  func aStartWithoutRoom(isNew: Bool) async throws {
    let room = StoreRoom(capacity: 1 << 40)
    if !isNew {
      let first = try room.store()
      #expect(await first.make(Self.move("s", from: 0)) == nil)
      await first.end()
    }
    room.setRoom(0)
    let store = try room.store(served: [("air", "m")])
    let problem = await store.make(Self.move("t", from: 0))
    guard case .failing(let reason)? = problem else {
      Issue.record("\(String(describing: problem))")
      return
    }
    #expect(reason.contains("the disk of \(room.path) has no room"))
    #expect(await store.tell("s").contains("has no room"))
    #expect(store.statistics.isFailing)
    #expect(room.reports.withLock { $0.count } == 1)
    room.setRoom(8 << 20)
    #expect(await store.make(Self.move("t", from: 0)) == nil)
    #expect(
      await store.tell("s", floatCount: Self.floatCount) == (isNew ? "unknown" : "1/1"))
    #expect(room.reports.withLock { $0.last } == "works again")
    await store.end()
  }
}
