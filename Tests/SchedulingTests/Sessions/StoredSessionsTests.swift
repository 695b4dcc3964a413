import Inference
import Synchronization
import TestSupport
import Testing

@testable import Scheduling

/// Requests for sessions that a store has: what they wait for, and what they are told.
@Suite struct StoredSessionsTests {
  private typealias Opening = SessionTable.Opening

  @Test func aStateIsFetchedOnce() {
    let room = SessionsRoom()
    room.store.put("s", steps: 4, version: 9)
    room.ask("a", Opening("s"))
    #expect(room.heard() == [])
    #expect(room.store.asked == ["fetch s"])
    room.store.answer()
    #expect(room.heard() == ["a: 4"])
    room.close("a", ("s", 5))
    #expect(room.store.asked == ["write s:9>5"])
    room.store.answer()
    #expect(room.heard() == ["a: moved"])
    room.ask("b", Opening("s"))
    #expect(room.heard() == ["b: 5"])
    room.close("b", ("s", 6))
    #expect(room.store.asked == ["write s:10>6"])
  }

  /// Until the store has a move its session is its request's own: nobody goes on from what may be lost.
  @Test func nobodyGoesOnBeforeItIsStored() {
    let room = SessionsRoom()
    room.ask("a", Opening("s", .begin))
    room.store.answer()
    room.close("a", ("s", 1))
    room.ask("b", Opening("s"))
    room.ask("c", Opening("s"), waits: false)
    #expect(room.heard() == ["a: -", #"c: busy("s")"#])
    room.store.answer()
    #expect(room.heard() == ["b: 1", "a: moved"])
  }

  @Test func whatIsNotStoredHasNotMoved() {
    let room = SessionsRoom()
    room.store.put("s", steps: 4)
    room.ask("a", Opening("s"))
    room.store.answer()
    room.close("a", ("s", 5))
    room.ask("b", Opening("s"))
    room.store.answer(.failing(reason: "full"))
    #expect(
      room.heard() == [
        "a: 4", "b: 4", #"a: store(Scheduling.SessionStoreProblem.failing(reason: "full"))"#,
      ])
    room.close("b", ("s", 5))
    room.store.answer()
    #expect(room.heard() == ["b: moved"])
    #expect(room.store.steps("s") == 5)
  }

  /// A begin that is not stored leaves nothing.
  @Test func aBeginThatFails() {
    let room = SessionsRoom()
    room.ask("a", Opening("s", .begin))
    room.store.answer()
    room.close("a", ("s", 1))
    room.store.answer(.failing(reason: "full"))
    room.ask("b", Opening("s"))
    room.store.answer()
    #expect(room.heard().last == #"b: unknown("s")"#)
  }

  /// Refused before it is computed: behind the answer would be too late.
  @Test func moreThanTheStoreKeeps() {
    let size = SessionTable.byteCount(of: .init(model: "m", id: "s"), floatCount: 1)
    let room = SessionsRoom(storeBytes: 2 * size - 1)
    room.ask("a", Opening("s", .begin), Opening("t", .begin))
    #expect(
      room.heard() == ["a: tooLargeForStore(needed: \(2 * size), limit: \(2 * size - 1))"])
    room.ask("b", Opening("s", .begin))
    #expect(room.store.asked == ["fetch s"])
    room.store.answer()
    #expect(room.heard() == ["b: -"])
  }

  @Test func whatTheStoreSays() {
    let room = SessionsRoom()
    room.store.put("s", steps: 4)
    for reason in SessionEnd.allCases {
      room.store.put("\(reason)", steps: 1)
      #expect(room.store.end("\(reason)", reason))
      room.ask("a", Opening("\(reason)"))
      room.store.answer()
      #expect(room.heard() == [#"a: gone("\#(reason)", Scheduling.SessionEnd.\#(reason))"#])
    }
    room.ask("a", Opening("none"))
    room.ask("b", Opening("s", .begin))
    room.ask("c", Opening("s", at: 3))
    room.ask("d", Opening("t", .fork(from: "none")))
    room.ask("e", Opening("t", .fork(from: "s"), at: 4))
    #expect(room.store.asked == ["fetch none", "fetch s", "fetch s", "fetch t none", "fetch t s"])
    room.store.answerAll()
    #expect(
      room.heard() == [
        #"a: unknown("none")"#, #"b: exists("s", steps: 4)"#,
        #"c: stepsMismatch("s", found: 4, expected: 3)"#,
        #"d: unknownSource("none", fork: "t")"#, "e: 4",
      ])
  }

  /// A name whose end is remembered may be begun anew, and one that is there replaced.
  @Test func beginsOverWhatWas() {
    let room = SessionsRoom()
    room.store.put("s", steps: 4)
    room.store.put("gone", steps: 4)
    #expect(room.store.end("gone", .expired))
    room.ask("a", Opening("s", .begin, replaces: true), Opening("gone", .begin))
    room.store.answer()
    room.close("a", ("s", 1), ("gone", 1))
    #expect(room.store.asked == ["write s:1>1 gone:0>1"])
    room.store.answer()
    #expect(room.heard() == ["a: - -", "a: moved"])
  }

  /// Compare and set: whoever went on from what is no more is told, and the next one sees what is.
  @Test func movedBySomebodyElse() {
    let room = SessionsRoom()
    room.store.put("s", steps: 4)
    room.ask("a", Opening("s"))
    room.store.answer()
    room.store.put("s", steps: 8, version: 3)
    room.close("a", ("s", 5))
    room.store.answer()
    #expect(room.heard() == ["a: 4", #"a: movedElsewhere("s", steps: Optional(8))"#])
    room.ask("b", Opening("s"))
    room.store.answer()
    #expect(room.heard() == ["b: 8"])
  }

  /// What leaves memory does not end, and what the store ends leaves memory, unless a request has it.
  @Test func theTableIsACache() {
    let size = SessionTable.byteCount(of: .init(model: "m", id: "a"), floatCount: 1)
    let room = SessionsRoom(limits: SessionLimits(maxBytes: 2 * size))
    for id in ["a", "b", "c"] {
      room.ask(id, Opening(id, .begin))
      room.store.answer()
      room.close(id, (id, 1))
      room.store.answer()
    }
    _ = room.heard()
    room.ask("x", Opening("a"))
    #expect(room.store.asked == ["fetch a"])
    room.store.answer()
    #expect(room.heard() == ["x: 1"])
    #expect(!room.store.end("a", .evicted))
    #expect(room.store.end("c", .evicted))
    room.ask("y", Opening("c"))
    room.store.answerAll()
    #expect(room.heard() == [#"y: gone("c", Scheduling.SessionEnd.evicted)"#])
  }

  @Test func usedOfLateDoesNotExpire() {
    let room = SessionsRoom()
    room.store.put("s", steps: 1)
    room.ask("a", Opening("s"))
    room.store.answer()
    room.close("a", ("s", nil))
    #expect(!room.store.end("s", .expired))
    room.clock.advance(by: .seconds(3600))
    #expect(room.store.end("s", .expired))
  }

  /// A store that hangs holds no request for ever; what it says later counts, though nobody hears it.
  @Test func aStoreThatHangs() async throws {
    let room = SessionsRoom()
    room.store.put("s", steps: 4)
    room.ask("a", Opening("s"))
    room.store.answer()
    room.close("a", ("s", 5))
    room.ask("b", Opening("t"), timeout: .seconds(1))
    room.ask("c", Opening("u"))
    #expect(room.heard() == ["a: 4"])
    room.clock.advance(by: .seconds(1))
    #expect(try await room.hear() == ["b: deadlinePassed(timeout: 1.0 seconds)"])
    room.clock.advance(by: .seconds(4))
    var heard: [String] = []
    while heard.count < 2 { heard += try await room.hear() }
    // Whether it has moved is not known; what was only looked up has not.
    #expect(
      Set(heard) == [
        #"a: store(Scheduling.SessionStoreProblem.unsure(reason: "no answer for 5 s"))"#,
        "c: store(Scheduling.SessionStoreProblem.slow(5.0 seconds))",
      ])
    room.store.answerAll()
    #expect(room.heard() == [])
    room.ask("d", Opening("s", at: 4))
    #expect(room.heard() == [#"d: stepsMismatch("s", found: 5, expected: 4)"#])
  }

  @Test func whoLeavesWhileItIsFetched() {
    let room = SessionsRoom()
    room.store.put("s", steps: 4)
    let waiter = room.ask("a", Opening("s"))
    #expect(room.sessions.leave(waiter))
    #expect(!room.sessions.leave(waiter))
    room.store.answer()
    room.ask("b", Opening("s"))
    room.store.answer()
    #expect(room.heard() == ["b: 4"])
  }

  @Test func aProblemIsToldAtOnce() {
    let room = SessionsRoom()
    room.store.problem = .slow(.seconds(2))
    room.ask("a", Opening("s", .begin))
    #expect(room.store.asked == [])
    #expect(room.heard() == ["a: store(Scheduling.SessionStoreProblem.slow(2.0 seconds))"])
    room.store.problem = nil
    room.ask("b", Opening("s", .begin))
    room.store.answer()
    #expect(room.heard() == ["b: -"])
  }

  /// Answers leave first, and moves reach the store in the order in which they were made.
  @Test func behind() {
    let room = SessionsRoom(.behind)
    room.ask("a", Opening("s", .begin))
    room.store.answer()
    room.close("a", ("s", 1))
    room.ask("b", Opening("s"))
    room.close("b", ("s", 2))
    #expect(room.heard() == ["a: -", "a: moved", "b: 1", "b: moved"])
    #expect(room.store.asked == ["write s:0>1", "write s:1>2"])
    room.store.answerAll()
    #expect(room.store.steps("s") == 2)
  }

  @Test(arguments: [SessionDurability.answer, .behind])
  func theEnd(durability: SessionDurability) {
    let room = SessionsRoom(durability)
    room.ask("a", Opening("s", .begin))
    room.store.answer()
    room.ask("b", Opening("s"))
    room.ask("c", Opening("t"))
    let isWell = Mutex<Bool?>(nil)
    room.sessions.shutDown { well in isWell.withLock { $0 = well } }
    #expect(Set(room.heard()) == ["a: -", "b: frozen", "c: frozen"])
    room.close("a", ("s", 1))
    #expect(room.heard() == ["a: frozen"])
    room.ask("d", Opening("s"))
    #expect(room.heard() == ["d: frozen"])
    room.store.answerAll()
    #expect(isWell.withLock { $0 } == true)
    #expect(room.heard() == [])
  }

  /// What was on its way to the store when the service ended has moved, if the store says so.
  @Test func storedAfterTheEnd() {
    let room = SessionsRoom()
    room.ask("a", Opening("s", .begin))
    room.store.answer()
    room.close("a", ("s", 1))
    room.sessions.shutDown { _ in }
    room.store.answerAll()
    #expect(room.heard() == ["a: -", "a: moved"])
  }

  @Test func endsByRequest() {
    let room = SessionsRoom()
    room.store.put("s", steps: 4)
    let told = Mutex<[String]>([])
    func end(_ id: String) {
      room.sessions.end(.init(model: "m", id: id), floatCount: 1) { refusal in
        told.withLock { $0.append(refusal.map { "\($0)" } ?? "ended") }
      }
    }
    end("s")
    end("none")
    room.store.answerAll()
    end("s")
    room.store.answerAll()
    #expect(
      Set(told.withLock { $0 }) == [
        "ended", #"unknown("none")"#, #"gone("s", Scheduling.SessionEnd.ended)"#,
      ])
  }

  @Test func listings() {
    let room = SessionsRoom()
    room.store.put("cold", steps: 4)
    room.store.put("s", steps: 7)
    room.ask("a", Opening("s"))
    room.store.answer()
    room.close("a", ("s", 8))
    room.store.answer()
    let told = Mutex<[SessionTable.Listing]>([])
    room.sessions.listings(of: "m", limit: 2) { result in
      told.withLock { $0 += (try? result.get())?.listings ?? [] }
      #expect((try? result.get())?.usage.count == 2)
    }
    room.sessions.listing(of: .init(model: "m", id: "cold"), floatCount: 1) { result in
      told.withLock { $0 += (try? result.get()).map { [$0] } ?? [] }
    }
    room.store.answerAll()
    #expect(told.withLock { $0.map { "\($0.id) \($0.steps)" } } == ["s 8", "cold 4", "cold 4"])
  }
}
