import Dispatch
import Inference
import Synchronization
import TestSupport
import Testing

@testable import Scheduling

/// Requests that wait for sessions.
@Suite struct SessionsTests {
  private typealias Opening = SessionTable.Opening

  /// Sessions, and what each request was told.
  private final class Room: Sendable {
    let sessions: Sessions
    let clock = TestClock()
    private let told = Mutex<[(name: String, grant: Told)]>([])

    enum Told: Equatable {
      case steps([Int?])
      case refused(SessionRefusal)
    }

    init(maxWaiters: Int = 64, idleTimeout: Duration = .seconds(3600)) {
      sessions = Sessions(
        limits: SessionLimits(idleTimeout: idleTimeout, maxWaiters: maxWaiters),
        clock: { [clock] in clock.now })
    }

    @discardableResult
    func ask(
      _ name: String, _ openings: [Opening], waits: Bool = true, ago: Duration = .zero,
      timeout: Duration? = nil
    ) -> Sessions.Waiter {
      let waiter = sessions.makeWaiter()
      sessions.open(
        openings, model: "m", floatCount: 1, waits: waits, arrived: clock.now - ago,
        timeout: timeout,
        as: waiter
      ) { grant in
        let found: Told =
          switch grant {
          case .success(let states): .steps(states.map { $0?.position })
          case .failure(let refusal): .refused(refusal)
          }
        self.told.withLock { $0.append((name, found)) }
      }
      return waiter
    }

    func close(_ results: [(id: String, steps: Int?)], ends: Bool = false) {
      sessions.close(
        results.map { id, steps in
          (id, steps.map { SequenceState(position: $0, floats: [Float($0)]) }, ends)
        }, model: "m")
    }

    func begin(_ ids: String...) {
      for id in ids {
        ask("", [Opening(id, .begin)])
        close([(id, 1)])
      }
      told.withLock { $0 = [] }
    }

    /// What requests are told from now on, once some were.
    func hear() async throws -> [String] {
      var heard: [String] = []
      try await eventually {
        heard = self.heard()
        return !heard.isEmpty
      }
      return heard
    }

    /// The requests that were told since the last time, in order.
    func heard() -> [String] {
      told.withLock { told in
        defer { told = [] }
        return told.map { name, grant in
          switch grant {
          case .steps(let steps):
            "\(name): \(steps.map { $0.map { "\($0)" } ?? "-" }.joined(separator: " "))"
          case .refused(let refusal): "\(name): \(refusal)"
          }
        }
      }
    }
  }

  @Test func whoWaitsGetsItInOrder() {
    let room = Room()
    room.ask("a", [Opening("s", .begin)])
    for name in ["b", "c", "d"] { room.ask(name, [Opening("s")]) }
    #expect(room.heard() == ["a: -"])
    room.close([("s", 1)])
    #expect(room.heard() == ["b: 1"])
    room.close([("s", 2)])
    #expect(room.heard() == ["c: 2"])
    room.close([("s", nil)])
    #expect(room.heard() == ["d: 2"])
    room.close([("s", 4)])
    #expect(room.heard() == [])
  }

  @Test func whoDoesNotWaitIsTold() {
    let room = Room()
    room.ask("a", [Opening("s", .begin)])
    room.ask("b", [Opening("s")], waits: false)
    room.ask("c", [Opening("none")])
    #expect(room.heard() == ["a: -", #"b: busy("s")"#, #"c: unknown("none")"#])
    room.close([("s", 1)])
    #expect(room.heard() == [])
  }

  @Test func whoLeavesGetsNothing() {
    let room = Room()
    let first = room.ask("a", [Opening("s", .begin)])
    let second = room.ask("b", [Opening("s")])
    let third = room.ask("c", [Opening("s")])
    #expect(!room.sessions.leave(first))
    #expect(room.sessions.leave(second))
    #expect(!room.sessions.leave(second))
    room.close([("s", 1)])
    #expect(!room.sessions.leave(third))
    #expect(room.heard() == ["a: -", "c: 1"])
    #expect(!room.sessions.leave(room.sessions.makeWaiter()))
  }

  /// It holds nothing while it waits, so that its time-out leaves all to others.
  @Test func aTimeOutThatPasses() async throws {
    let room = Room()
    room.begin("t")
    room.ask("a", [Opening("s", .begin)])
    let late = room.ask("b", [Opening("s"), Opening("t")], timeout: .milliseconds(500))
    room.ask("c", [Opening("s")], timeout: .seconds(3600))
    room.ask("d", [Opening("t")], waits: false)
    #expect(room.heard() == ["a: -", "d: 1"])
    room.close([("t", 2)])
    #expect(room.heard() == [])
    room.clock.advance(by: .milliseconds(500))
    #expect(try await room.hear() == ["b: deadlinePassed(timeout: 0.5 seconds)"])
    #expect(!room.sessions.leave(late))
    room.close([("s", 1)])
    #expect(room.heard() == ["c: 1"])
  }

  /// On the way to the next process nothing moves, and nobody waits.
  @Test func frozen() {
    let room = Room()
    room.begin("t")
    room.ask("a", [Opening("s", .begin)])
    room.ask("b", [Opening("t")])
    room.ask("c", [Opening("s")])
    room.ask("d", [Opening("t")])
    #expect(room.heard() == ["a: -", "b: 1"])
    room.sessions.freeze()
    #expect(Set(room.heard()) == ["c: frozen", "d: frozen"])
    room.ask("e", [Opening("t")])
    room.ask("f", [Opening("u", .begin)])
    #expect(room.heard() == ["e: frozen", "f: frozen"])
    let refusals = Mutex<[SessionRefusal?]>([])
    room.sessions.close([("t", SequenceState(position: 9, floats: [1]), false)], model: "m") {
      refusal in refusals.withLock { $0.append(refusal) }
    }
    #expect(refusals.withLock { $0 } == [.frozen])
    let records = room.sessions.withTable { table in
      table.expire(now: .now + .seconds(100_000))
      var walk = table.walk()
      return table.records(&walk, now: .now).map { "\($0.key.id) \($0.state.position)" }
    }
    #expect(records == ["t 1"])
  }

  /// A time-out counts from when the request came, not from when its body was read.
  @Test func aTimeOutCountsFromTheArrival() async throws {
    let room = Room()
    room.ask("a", [Opening("s", .begin)])
    #expect(room.heard() == ["a: -"])
    room.ask("b", [Opening("s")], ago: .seconds(3600), timeout: .seconds(3600))
    room.ask("c", [Opening("s")], timeout: .seconds(3600))
    #expect(try await room.hear() == ["b: deadlinePassed(timeout: 3600.0 seconds)"])
    room.close([("s", 1)])
    #expect(room.heard() == ["c: 1"])
  }

  /// Once it has what it waited for, time does not take it away, and nobody is told twice.
  @Test func aTimeOutAfterTheGrant() async throws {
    let room = Room()
    room.ask("a", [Opening("s", .begin)])
    room.ask("b", [Opening("s")], timeout: .seconds(1))
    room.close([("s", 1)])
    room.ask("c", [Opening("s")], timeout: .seconds(2))
    #expect(room.heard() == ["a: -", "b: 1"])
    // The deadlines of those who wait are looked at until c is refused, and b is not among them.
    room.clock.advance(by: .seconds(2))
    #expect(try await room.hear() == ["c: deadlinePassed(timeout: 2.0 seconds)"])
    room.close([("s", 2)])
    #expect(room.heard() == [])
  }

  /// A time-out that is far away holds nothing of a request that is done.
  @Test func aTimerKeepsNoRequest() {
    final class Body: Sendable {}
    let sessions = Sessions(limits: SessionLimits())
    var body: Body? = Body()
    weak let remains = body
    func ask(_ body: Body, as waiter: Sessions.Waiter) {
      sessions.open(
        [Opening("s", .begin)], model: "m", floatCount: 1, waits: true, arrived: .now,
        timeout: .seconds(3600), as: waiter
      ) { _ in withExtendedLifetime(body) {} }
    }
    ask(body!, as: sessions.makeWaiter())
    let waiter = sessions.makeWaiter()
    ask(body!, as: waiter)
    body = nil
    #expect(remains != nil)
    sessions.leave(waiter)
    #expect(remains == nil)
  }

  @Test(arguments: [0, 1, 5])
  func maxWaiters(limit: Int) {
    let room = Room(maxWaiters: limit)
    room.begin("t")
    room.ask("a", [Opening("s", .begin)])
    #expect(room.heard() == ["a: -"])
    var waiters: [Sessions.Waiter] = []
    for index in 0..<limit { waiters.append(room.ask("\(index)", [Opening("s")])) }
    #expect(room.heard() == [])
    let refused = #"x: tooManyWait("s", limit: \#(limit))"#
    room.ask("x", [Opening("s")])
    room.ask("x", [Opening("t"), Opening("s")])
    #expect(room.heard() == [refused, refused])
    // Each session has waiters of its own, and room that somebody left is there for others.
    room.ask("y", [Opening("t")])
    #expect(room.heard() == ["y: 1"])
    if let last = waiters.last {
      room.sessions.leave(last)
      waiters[waiters.count - 1] = room.ask("z", [Opening("s")])
      #expect(room.heard() == [])
      room.ask("x", [Opening("s")])
      #expect(room.heard() == [refused])
    }
  }

  /// Two requests that want the same two, the other way round, behind two that have one each.
  @Test func nobodyWaitsForever() {
    let room = Room()
    room.ask("a", [Opening("s", .begin)])
    room.ask("b", [Opening("t", .begin)])
    room.ask("c", [Opening("s"), Opening("t")])
    room.ask("d", [Opening("t"), Opening("s")])
    #expect(room.heard() == ["a: -", "b: -"])
    room.close([("s", 1)])
    #expect(room.heard() == [])
    room.close([("t", 2)])
    #expect(room.heard() == ["d: 2 1"])
    room.close([("s", 3), ("t", 4)])
    #expect(room.heard() == ["c: 3 4"])
    room.close([("s", 5), ("t", 6)])
    room.ask("e", [Opening("s"), Opening("t")], waits: false)
    #expect(room.heard() == ["e: 5 6"])
  }

  /// Several are free at once: each goes to the first who waits for it.
  @Test func oneRequestFreesMany() {
    let room = Room()
    room.begin("s", "t", "u")
    room.ask("a", [Opening("s"), Opening("t"), Opening("u")])
    for id in ["t", "s", "u", "t"] { room.ask("\(id)", [Opening(id)]) }
    room.ask("both", [Opening("v", .fork(from: "u")), Opening("w", .begin)])
    #expect(room.heard() == ["a: 1 1 1"])
    room.close([("s", 2), ("t", 3), ("u", 4)])
    #expect(room.heard() == ["s: 2", "t: 3", "u: 4"])
    room.close([("u", 9)])
    #expect(room.heard() == ["both: 9 -"])
    room.close([("t", 10)])
    #expect(room.heard() == ["t: 10"])
  }

  @Test func whoWaitsLearnsOfTheEnd() {
    let room = Room()
    room.ask("a", [Opening("s", .begin)])
    for name in ["b", "c"] { room.ask(name, [Opening("s")]) }
    room.ask("d", [Opening("s", .begin)])
    room.ask("e", [Opening("s")])
    room.close([("s", 1)], ends: true)
    #expect(
      room.heard() == [
        "a: -", #"b: gone("s", Scheduling.SessionEnd.ended)"#,
        #"c: gone("s", Scheduling.SessionEnd.ended)"#, "d: -",
      ])
    // A begin that failed leaves nothing to wait for.
    room.close([("s", nil)])
    #expect(room.heard() == [#"e: unknown("s")"#])
  }

  /// A request that fails ends nothing.
  @Test func onlyAnAnswerEnds() {
    let room = Room()
    room.begin("s")
    room.ask("a", [Opening("s")])
    room.close([("s", nil)], ends: true)
    room.ask("b", [Opening("s")])
    room.close([("s", 2)], ends: true)
    room.ask("c", [Opening("s")])
    #expect(room.heard() == ["a: 1", "b: 1", #"c: gone("s", Scheduling.SessionEnd.ended)"#])
  }

  @Test func expiresByItself() async throws {
    let room = Room(idleTimeout: .seconds(3600))
    room.begin("s")
    room.clock.advance(by: .seconds(3600))
    try await eventually { room.sessions.withTable { $0.count } == 0 }
    #expect(room.sessions.withTable { $0.endCounts } == [.expired: 1])
  }

  private final class Log: Sendable {
    let steps = Mutex<[String: [Int]]>([:])
  }

  /// Each of many requests from many threads sees the steps that the one before left: no update is lost.
  @Test(arguments: 1...3)
  func noUpdateIsLost(seed: UInt64) async {
    let sessions = Sessions(limits: SessionLimits(maxWaiters: 10_000))
    let ids = ["a", "b", "c", "d"]
    let done = Log()
    let (clients, requests) = (16, 200)
    sessions.open(
      ids.map { Opening($0, .begin) }, model: "m", floatCount: 1, waits: false, arrived: .now,
      timeout: nil, as: sessions.makeWaiter()
    ) { _ in }
    sessions.close(ids.map { ($0, SequenceState(position: 1, floats: [0]), false) }, model: "m")
    await withTaskGroup(of: Void.self) { group in
      for client in 0..<clients {
        group.addTask {
          var noise = Noise(seed: seed &* 100 &+ UInt64(client))
          for _ in 0..<requests {
            let chosen = ids.shuffled(using: &noise).prefix(.random(in: 1...3, using: &noise))
            let states = await withCheckedContinuation { continuation in
              sessions.open(
                chosen.map { Opening($0, .resume) }, model: "m", floatCount: 1, waits: true,
                arrived: .now, timeout: nil, as: sessions.makeWaiter()
              ) { continuation.resume(returning: try? $0.get()) }
            }
            guard let states else {
              Issue.record("refused")
              return
            }
            if Bool.random(using: &noise) { await Task.yield() }
            let results = zip(chosen, states).map { id, state in
              let steps = state!.position + 1
              done.steps.withLock { $0[id, default: []].append(steps) }
              return (
                id: id, state: SequenceState(position: steps, floats: [0]) as SequenceState?,
                ends: false
              )
            }
            sessions.close(results, model: "m")
          }
        }
      }
      await group.waitForAll()
    }
    for id in ids {
      let steps = done.steps.withLock { $0[id] ?? [] }
      #expect(steps.count > clients * requests / 4)
      #expect(steps == Array(2..<steps.count + 2))
    }
  }
}
