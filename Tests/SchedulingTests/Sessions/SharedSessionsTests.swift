import Inference
import Synchronization
import TestSupport
import Testing

@testable import Scheduling

/// Requests for sessions of a store that other processes have too.
@Suite struct SharedSessionsTests {
  private typealias Opening = SessionTable.Opening

  private static func room(_ durability: SessionDurability = .answer) -> SessionsRoom {
    SessionsRoom(durability, limits: SessionLimits(maxWaiters: 2), isShared: true)
  }

  /// What another process may have moved since is not answered from memory.
  @Test func theStoreIsAskedEachTime() {
    let room = Self.room()
    room.store.put("s", steps: 4, version: 9)
    room.ask("a", Opening("s"))
    #expect(room.store.asked == ["take s"])
    room.store.answer()
    room.close("a", ("s", 5))
    #expect(room.store.asked == ["write s:9>5"])
    room.store.answer()
    #expect(room.heard() == ["a: 4", "a: moved"])
    #expect(room.sessions.withTable { $0.count } == 0)
    // Another process moves it.
    room.store.put("s", steps: 8, version: 13)
    room.ask("b", Opening("s"))
    room.store.answer()
    #expect(room.heard() == ["b: 8"])
    // A move gives it back by itself.
    #expect(room.store.releases() == [])
  }

  /// Those of one process stand in a queue of their own, so that one of them at a time asks.
  @Test func requestsOfAProcessComeInOrder() {
    let room = Self.room()
    room.store.put("s", steps: 1)
    for name in ["a", "b", "c"] { room.ask(name, Opening("s")) }
    room.ask("d", Opening("s"))
    room.ask("e", Opening("s"), waits: false)
    #expect(room.heard() == [#"d: tooManyWait("s", limit: 2)"#, #"e: busy("s")"#])
    #expect(room.store.asked == ["take s"])
    room.store.answer()
    #expect(room.heard() == ["a: 1"])
    for (name, next, steps) in [("a", "b", 2), ("b", "c", 3)] {
      room.close(name, ("s", steps))
      room.store.answer()
      #expect(room.heard() == ["\(name): moved"])
      #expect(room.store.asked == ["take s"])
      room.store.answer()
      #expect(room.heard() == ["\(next): \(steps)"])
    }
  }

  @Test func whatIsNotUsedIsGivenBack() {
    let room = Self.room()
    room.store.put("s", steps: 1)
    // Refused.
    room.ask("a", Opening("s", .begin))
    room.store.answer()
    #expect(room.heard() == [#"a: exists("s", steps: 1)"#])
    #expect(room.store.releases() == ["s"])
    room.ask("b", Opening("t"))
    room.store.answer()
    #expect(room.heard() == [#"b: unknown("t")"#])
    #expect(room.store.releases() == ["t"])
    // Its client left.
    let waiter = room.ask("c", Opening("s"))
    #expect(room.sessions.leave(waiter))
    room.ask("d", Opening("s"))
    room.store.answer()
    #expect(room.store.releases() == ["s"])
    room.store.answer()
    #expect(room.heard() == ["d: 1"])
    // It failed.
    room.close("d", ("s", nil))
    #expect(room.store.releases() == ["s"])
    #expect(room.heard() == ["d: moved"])
    #expect(room.sessions.withTable { $0.count } == 0)
  }

  @Test func anotherProcessHasIt() async throws {
    let room = Self.room()
    room.store.put("s", steps: 1)
    room.store.lease("s")
    room.ask("a", Opening("s"), waits: false)
    room.store.answer()
    #expect(room.heard() == [#"a: busy("s")"#])
    room.ask("b", Opening("s"))
    room.ask("c", Opening("s"))
    for _ in 0..<5 { try await room.answer("take s") }
    #expect(room.heard() == [])
    room.store.lease("s", false)
    try await room.answer("take s")
    #expect(room.heard() == ["b: 1"])
    #expect(room.store.releases() == [])
  }

  /// The wait for another process counts against the request's time-out; its place is the next one's then.
  @Test func theWaitIsBounded() async throws {
    let room = Self.room()
    room.store.put("s", steps: 1)
    room.store.lease("s")
    room.ask("a", Opening("s"), timeout: .seconds(2))
    let leaver = room.ask("b", Opening("s"), timeout: .seconds(9))
    try await room.answer("take s")
    room.clock.advance(by: .seconds(3))
    var heard: [String] = []
    try await eventually {
      // It asks again as long as it is there.
      room.store.answerAll()
      heard += room.heard()
      return !heard.isEmpty
    }
    #expect(heard == ["a: deadlinePassed(timeout: 2.0 seconds)"])
    try await eventually { room.store.asked == ["take s"] }
    #expect(room.sessions.leave(leaver))
    room.store.answerAll()
    #expect(room.store.releases() == [])
    // Nobody holds its place.
    room.store.lease("s", false)
    try await eventually {
      room.ask("c", Opening("s"), waits: false)
      room.store.answerAll()
      return room.heard() == ["c: 1"]
    }
  }

  /// A source is looked up, and must not be another request's; it is not taken.
  @Test func forks() {
    let room = Self.room()
    room.store.put("s", steps: 3)
    room.ask("a", Opening("t", .fork(from: "s")))
    #expect(room.store.asked == ["take t (s)"])
    room.store.answer()
    #expect(room.heard() == ["a: 3"])
    #expect(room.store.asked == ["touch s"])
    room.store.answer()
    room.ask("b", Opening("s"))
    room.store.answer()
    #expect(room.heard() == ["b: 3"])
    room.ask("c", Opening("u", .fork(from: "s")), waits: false)
    #expect(room.heard() == [#"c: busy("s")"#])
  }

  /// A store without room takes what ends for its request, and nothing that goes on or begins.
  @Test func whatOnlyFreesMemory() {
    let room = Self.room()
    for id in ["s", "t"] { room.store.put(id, steps: 1) }
    room.ask("a", Opening("s", ends: true), Opening("t", ends: true))
    #expect(room.store.asked == ["take s t to end"])
    room.store.answer()
    room.close("a", ("s", nil), ("t", nil))
    for opening in [Opening("t"), Opening("t", .begin, replaces: true, ends: true)] {
      room.ask("b", Opening("s", ends: true), opening)
      #expect(room.store.asked == ["take s t"])
      room.store.answer()
      room.close("b", ("s", nil), ("t", nil))
    }
    room.sessions.end(.init(model: "m", id: "s"), floatCount: 1) { _ in }
    #expect(room.store.asked == ["take s to end"])
  }

  /// Where it moved otherwise all the same, as a lease had expired, its client is told the true steps.
  @Test func noMoveIsLost() {
    let room = Self.room()
    room.store.put("s", steps: 1, version: 5)
    room.ask("a", Opening("s"))
    room.store.answer()
    room.store.put("s", steps: 4, version: 6)
    room.close("a", ("s", 2))
    room.store.answer()
    #expect(room.heard() == ["a: 1", #"a: movedElsewhere("s", steps: Optional(4))"#])
    #expect(room.sessions.withTable { $0.count } == 0)
    // Also where it has as many steps as before: it began anew meanwhile.
    room.ask("b", Opening("s"))
    room.store.answer()
    room.store.put("s", steps: 4, version: 7)
    room.close("b", ("s", 5))
    room.store.answer()
    #expect(room.heard() == ["b: 4", #"b: movedElsewhere("s", steps: Optional(4))"#])
    // Or is not there any more.
    room.ask("c", Opening("s"))
    room.store.answer()
    room.store.remove("s")
    room.close("c", ("s", 5))
    room.store.answer()
    #expect(room.heard() == ["c: 4", #"c: movedElsewhere("s", steps: nil)"#])
  }

  @Test func behindTheAnswer() {
    let room = Self.room(.behind)
    room.store.put("s", steps: 1)
    room.ask("a", Opening("s"))
    room.store.answer()
    room.close("a", ("s", 2))
    room.ask("b", Opening("s"))
    // In this order over one connection, so that the second finds what the first has moved.
    #expect(room.store.asked == ["write s:1>2", "take s"])
    room.store.answerAll()
    #expect(room.heard() == ["a: 1", "a: moved", "b: 2"])
  }

  /// What this process has kept is not asked for; a request that is refused leaves it kept.
  @Test func whatIsKeptIsAnsweredAtOnce() {
    let room = Self.room()
    room.store.put("s", steps: 1, version: 7)
    room.store.keep("s")
    room.ask("a", Opening("s"))
    room.ask("b", Opening("s"))
    #expect(room.heard() == ["a: 1"])
    #expect(room.store.asked == [])
    room.close("a", ("s", 2))
    #expect(room.store.asked == ["write s:7>2"])
    room.store.answer()
    #expect(room.heard() == ["b: 2", "a: moved"])
    room.close("b", ("s", nil))
    #expect(room.store.releases() == ["s"])
    #expect(room.heard() == ["b: moved"])
    room.ask("c", Opening("s", at: 9))
    #expect(room.heard() == [#"c: stepsMismatch("s", found: 2, expected: 9)"#])
    #expect(room.store.releases() == ["s"])
    // With one that has to be asked for, all are.
    room.ask("d", Opening("s"), Opening("t", .begin))
    #expect(room.store.asked == ["take s t"])
    room.store.answer()
    #expect(room.heard() == ["d: 2 -"])
    #expect(room.sessions.withTable { $0.count } == 2)
  }

  /// What another process keeps and does not use counts as free: also who does not wait gets it, as soon as it is given back.
  @Test func whatAnotherProcessKeeps() async throws {
    let room = Self.room()
    room.store.put("s", steps: 1)
    room.store.lease("s", isUsed: false)
    room.ask("a", Opening("s"), waits: false)
    for _ in 0..<3 {
      try await room.answer("take s")
      #expect(room.heard() == [])
    }
    room.store.lease("s", false)
    try await room.answer("take s")
    #expect(room.heard() == ["a: 1"])
    room.close("a", ("s", 2))
    room.store.answer()
    // It began to use it before it was told.
    room.store.lease("s", isUsed: false)
    room.ask("b", Opening("s"), waits: false)
    room.store.answer()
    room.store.lease("s")
    try await room.answer("take s")
    #expect(room.heard() == ["a: moved", #"b: busy("s")"#])
  }
}
