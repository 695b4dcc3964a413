import Inference
import TestSupport
import Testing

@testable import Scheduling

@Suite struct SessionTableTests {
  private typealias Opening = SessionTable.Opening

  /// A session of one character and two floats.
  private static let size = 2 * 4 + 1 + SessionTable.overheadBytes

  /// A table, its clock, and requests of one model.
  private struct Setting {
    var table: SessionTable
    var now = ContinuousClock.now

    init(rooms: Int = 100, spare: Int = 0, idle: Duration = .seconds(100)) {
      table = SessionTable(
        limits: SessionLimits(
          maxBytes: rooms * SessionTableTests.size + spare, idleTimeout: idle))
    }

    mutating func open(
      _ openings: [Opening], model: String = "m"
    ) throws(SessionRefusal) -> [Int?] {
      try table.open(openings, model: model, floatCount: 2, now: now).map { $0?.position }
    }

    mutating func close(_ id: String, steps: Int?, model: String = "m") {
      table.close(
        .init(model: model, id: id), with: steps.map { SessionTableTests.state($0) }, now: now)
    }

    /// A whole request, a second after what was before.
    mutating func leave(_ id: String, steps: Int = 1, model: String = "m") throws {
      now += .seconds(1)
      _ = try open([Opening(id, .begin)], model: model)
      close(id, steps: steps, model: model)
    }

    mutating func refusal(_ openings: [Opening], model: String = "m") -> SessionRefusal? {
      do throws(SessionRefusal) {
        _ = try open(openings, model: model)
        return nil
      } catch { return error }
    }

    var records: [SessionTable.Record] {
      var walk = table.walk()
      return table.records(&walk, now: now)
    }

    /// The ids, the last used first.
    mutating func ids(_ model: String = "m") -> [String] {
      table.listings(of: model, limit: 1000, now: now).map(\.id)
    }

    mutating func listing(_ id: String) throws(SessionRefusal) -> SessionTable.Listing {
      try table.listing(of: .init(model: "m", id: id), now: now)
    }

    mutating func end(_ id: String) throws(SessionRefusal) {
      try table.end(.init(model: "m", id: id), now: now)
    }
  }

  private static func state(_ steps: Int) -> SequenceState {
    SequenceState(position: steps, floats: [Float(steps), -Float(steps)])
  }

  // MARK: - A session's life

  @Test func beginsAndGoesOn() throws {
    var setting = Setting()
    #expect(try setting.open([Opening("a", .begin)]) == [nil])
    setting.close("a", steps: 3)
    #expect(
      try setting.table.open([Opening("a")], model: "m", floatCount: 2, now: setting.now)
        == [Self.state(3)])
    setting.close("a", steps: 5)
    #expect(try setting.open([Opening("a")]) == [5])
    #expect(setting.table.count == 1)
    #expect(setting.table.byteCount == Self.size)
  }

  @Test func whatWasNeverThere() {
    var setting = Setting()
    #expect(setting.refusal([Opening("a")]) == .unknown("a"))
    #expect(setting.refusal([Opening("b", .fork(from: "a"))]) == .unknownSource("a", fork: "b"))
    #expect(throws: SessionRefusal.unknown("a")) { try setting.end("a") }
    #expect(throws: SessionRefusal.unknown("a")) { try setting.listing("a") }
    #expect(setting.table.count == 0 && setting.table.byteCount == 0)
  }

  @Test func beginsAnew() throws {
    var setting = Setting()
    try setting.leave("a", steps: 9)
    setting.now += .seconds(20)
    #expect(try setting.listing("a").age == .seconds(20))
    #expect(try setting.open([Opening("a", .begin, replaces: true)]) == [nil])
    setting.close("a", steps: 2)
    #expect(try setting.open([Opening("a")]) == [2])
    setting.close("a", steps: 3)
    #expect(try setting.listing("a") == .init(id: "a", steps: 3, age: .zero, idle: .zero))
    #expect(setting.table.count == 1 && setting.table.byteCount == Self.size)
  }

  @Test func forks() throws {
    var setting = Setting()
    try setting.leave("a", steps: 4)
    #expect(try setting.open([Opening("b", .fork(from: "a")), Opening("a")]) == [4, 4])
    setting.close("b", steps: 5)
    setting.close("a", steps: 6)
    #expect(try setting.open([Opening("a"), Opening("b")]) == [6, 5])
    setting.close("a", steps: nil)
    setting.close("b", steps: nil)
    // Over what is there, and from itself.
    #expect(try setting.open([Opening("b", .fork(from: "a"), replaces: true)]) == [6])
    setting.close("b", steps: 7)
    #expect(try setting.open([Opening("a", .fork(from: "a"), replaces: true)]) == [6])
    setting.close("a", steps: 8)
    #expect(try setting.open([Opening("a"), Opening("b")]) == [8, 7])
    #expect(setting.table.count == 2)
  }

  /// Who begins or forks onto what is there is told of it, and changes nothing.
  @Test(arguments: [SessionTable.Opening.Way.begin, .fork(from: "a"), .fork(from: "b")])
  func whatIsThereIsNotReplacedInSilence(way: SessionTable.Opening.Way) throws {
    var setting = Setting()
    try setting.leave("a", steps: 4)
    try setting.leave("b", steps: 5)
    #expect(setting.refusal([Opening("a", way)]) == .exists("a", steps: 4))
    #expect(setting.refusal([Opening("new", .begin), Opening("a", way)]) == .exists("a", steps: 4))
    #expect(setting.table.count == 2)
    #expect(try setting.open([Opening("a"), Opening("b")]) == [4, 5])
  }

  /// One more and one fewer are another request's.
  @Test func theStepsThatAClientBelievesIn() throws {
    var setting = Setting()
    try setting.leave("a", steps: 37)
    for at in [36, 38] {
      let refusal = SessionRefusal.stepsMismatch("a", found: 37, expected: at)
      #expect(setting.refusal([Opening("a", at: at)]) == refusal)
      #expect(setting.refusal([Opening("new", .begin), Opening("a", at: at)]) == refusal)
      // A fork's are those of its source.
      #expect(setting.refusal([Opening("b", .fork(from: "a"), at: at)]) == refusal)
    }
    #expect(setting.table.count == 1)
    #expect(try setting.open([Opening("b", .fork(from: "a"), at: 37)]) == [37])
    #expect(try setting.open([Opening("a", at: 37)]) == [37])
    #expect(setting.refusal([Opening("a", at: 36)]) == .busy("a"))
    setting.close("a", steps: 38)
    #expect(
      setting.refusal([Opening("a", at: 37)]) == .stepsMismatch("a", found: 38, expected: 37))
    #expect(setting.refusal([Opening("none", at: 1)]) == .unknown("none"))
  }

  @Test func ends() throws {
    var setting = Setting()
    try setting.leave("a")
    try setting.end("a")
    #expect(setting.refusal([Opening("a")]) == .gone("a", .ended))
    #expect(throws: SessionRefusal.gone("a", .ended)) { try setting.end("a") }
    #expect(throws: SessionRefusal.gone("a", .ended)) { try setting.listing("a") }
    #expect(setting.refusal([Opening("b", .fork(from: "a"))]) == .gone("a", .ended))
    #expect(setting.table.count == 0 && setting.table.byteCount == 0)
    #expect(setting.table.endCounts == [.ended: 1])
  }

  @Test func modelsDoNotMeet() throws {
    var setting = Setting()
    try setting.leave("a", steps: 1, model: "m")
    try setting.leave("a", steps: 2, model: "n")
    #expect(try setting.open([Opening("a")], model: "m") == [1])
    #expect(try setting.open([Opening("a")], model: "n") == [2])
    #expect(
      setting.refusal([Opening("b", .fork(from: "a"))], model: "o")
        == .unknownSource("a", fork: "b"))
    #expect(setting.ids("m") == ["a"] && setting.ids("n") == ["a"] && setting.ids("o") == [])
  }

  // MARK: - One request at a time

  @Test func whoIsThereIsBusy() throws {
    var setting = Setting()
    _ = try setting.open([Opening("new", .begin)])
    try setting.leave("old")
    _ = try setting.open([Opening("old")])
    for id in ["old", "new"] {
      #expect(setting.refusal([Opening(id)]) == .busy(id))
      #expect(setting.refusal([Opening(id, .begin)]) == .busy(id))
      #expect(setting.refusal([Opening("x", .fork(from: id))]) == .busy(id))
      #expect(throws: SessionRefusal.busy(id)) { try setting.end(id) }
    }
    #expect(try setting.listing("new").steps == 0)
    setting.close("new", steps: 1)
    setting.close("old", steps: 2)
    #expect(try setting.open([Opening("new"), Opening("old")]) == [1, 2])
  }

  /// The second of two can't be had, so nothing becomes of the first.
  @Test(arguments: [
    SessionTable.Opening.Way.resume, .begin, .fork(from: "idle"),
  ])
  func allOrNone(way: SessionTable.Opening.Way) throws {
    var setting = Setting()
    try setting.leave("idle", steps: 3)
    try setting.leave("open", steps: 4)
    _ = try setting.open([Opening("open")])
    let first = way == .resume ? "idle" : "new"
    let count = setting.table.count
    for (second, refusal) in [
      (Opening("open"), SessionRefusal.busy("open")), (Opening("open", .begin), .busy("open")),
      (Opening("none"), .unknown("none")),
      (Opening("none", .fork(from: "nobody")), .unknownSource("nobody", fork: "none")),
    ] {
      #expect(setting.refusal([Opening(first, way), second]) == refusal)
      #expect(setting.refusal([second, Opening(first, way)]) == refusal)
    }
    #expect(setting.table.count == count)
    #expect(try setting.open([Opening("idle")]) == [3])
    #expect(setting.refusal([Opening("new")]) == .unknown("new"))
  }

  @Test func aRequestThatFailsLeavesThingsAsTheyWere() throws {
    var setting = Setting()
    try setting.leave("a", steps: 3)
    setting.now += .seconds(10)
    for opening in [
      Opening("a"), Opening("a", .begin, replaces: true),
      Opening("a", .fork(from: "a"), replaces: true),
    ] {
      _ = try setting.open([opening])
      setting.close("a", steps: nil)
      #expect(try setting.listing("a").steps == 3)
      #expect(try setting.listing("a").age == .seconds(10))
    }
    for opening in [Opening("b", .begin), Opening("b", .fork(from: "a"))] {
      _ = try setting.open([opening])
      #expect(setting.table.count == 2)
      setting.close("b", steps: nil)
      #expect(setting.refusal([Opening("b")]) == .unknown("b"))
    }
    #expect(setting.table.count == 1 && setting.table.byteCount == Self.size)
    #expect(setting.table.endCounts == [:])
  }

  @Test func closingWhatIsNotOpenDoesNothing() throws {
    var setting = Setting()
    setting.close("none", steps: 5)
    #expect(setting.table.count == 0)
    try setting.leave("a", steps: 3)
    setting.close("a", steps: 5)
    #expect(try setting.open([Opening("a")]) == [3])
  }

  // MARK: - Time

  @Test(arguments: [Duration.nanoseconds(1), .milliseconds(1)])
  func idleTimeOut(least: Duration) throws {
    for (wait, isThere) in [
      (Duration.seconds(7) - least, true), (.seconds(7), false), (.seconds(7) + least, false),
    ] {
      var setting = Setting(idle: .seconds(7))
      try setting.leave("a")
      setting.now += wait
      #expect((setting.refusal([Opening("a")]) == nil) == isThere)
      if !isThere {
        #expect(setting.refusal([Opening("a")]) == .gone("a", .expired))
        #expect(setting.table.count == 0 && setting.table.byteCount == 0)
        #expect(setting.table.endCounts == [.expired: 1])
      }
    }
  }

  @Test func useKeepsASession() throws {
    var setting = Setting(idle: .seconds(10))
    try setting.leave("a")
    for steps in 2...5 {
      setting.now += .seconds(9)
      #expect(try setting.open([Opening("a")]) == [steps - 1])
      setting.close("a", steps: steps)
    }
    // Looking at it is no use of it.
    setting.now += .seconds(9)
    #expect(try setting.listing("a").idle == .seconds(9))
    setting.now += .seconds(1)
    #expect(throws: SessionRefusal.gone("a", .expired)) { try setting.listing("a") }
  }

  @Test func whatIsOpenDoesNotExpire() throws {
    var setting = Setting(idle: .seconds(10))
    try setting.leave("a", steps: 1)
    _ = try setting.open([Opening("a"), Opening("b", .begin)])
    try setting.leave("c")
    setting.now += .seconds(1000)
    setting.table.expire(now: setting.now)
    // Behind those that are open, too.
    #expect(setting.refusal([Opening("c")]) == .gone("c", .expired))
    #expect(setting.table.count == 2)
    setting.close("a", steps: 2)
    setting.close("b", steps: 3)
    setting.now += .seconds(9)
    #expect(try setting.open([Opening("a"), Opening("b")]) == [2, 3])
  }

  // MARK: - Room

  @Test(arguments: [-1, 0, 1])
  func theCapInBytes(spare: Int) throws {
    var setting = Setting(rooms: 2, spare: spare)
    try setting.leave("a")
    try setting.leave("b")
    #expect(setting.ids() == (spare < 0 ? ["b"] : ["b", "a"]))
    #expect(setting.table.byteCount == (spare < 0 ? 1 : 2) * Self.size)
    if spare < 0 { #expect(setting.refusal([Opening("a")]) == .gone("a", .evicted)) }
  }

  @Test(arguments: [-1, 0, 1])
  func aRequestLargerThanAllRoom(spare: Int) throws {
    var setting = Setting(rooms: 2, spare: spare)
    try setting.leave("c")
    let refusal = setting.refusal([Opening("a", .begin), Opening("b", .begin)])
    let expected = SessionRefusal.tooLarge(needed: 2 * Self.size, limit: 2 * Self.size - 1)
    #expect(refusal == (spare < 0 ? expected : nil))
    // Nobody had to go for what can't be.
    if spare < 0 { #expect(setting.ids() == ["c"]) }
  }

  @Test func noSessionsAtAll() {
    var setting = Setting(rooms: 0)
    #expect(
      setting.refusal([Opening("a", .begin)]) == .tooLarge(needed: Self.size, limit: 0))
    #expect(setting.refusal([Opening("a")]) == .tooLarge(needed: 0, limit: 0))
  }

  @Test func longerNamesTakeMore() throws {
    var setting = Setting(rooms: 1, spare: 2)
    try setting.leave("abc")
    #expect(setting.table.byteCount == Self.size + 2)
    #expect(
      setting.refusal([Opening("abcd", .begin)])
        == .tooLarge(needed: Self.size + 3, limit: Self.size + 2))
    #expect(setting.ids() == ["abc"])
  }

  @Test func theLeastRecentlyUsedGoes() throws {
    var setting = Setting(rooms: 3)
    for id in ["a", "b", "c"] { try setting.leave(id) }
    setting.now += .seconds(1)
    _ = try setting.open([Opening("a")])
    setting.close("a", steps: 2)
    // A request that failed is a use as well.
    _ = try setting.open([Opening("b")])
    setting.close("b", steps: nil)
    #expect(setting.ids() == ["b", "a", "c"])
    for (id, gone) in [("d", "c"), ("e", "a"), ("f", "b"), ("g", "d")] {
      try setting.leave(id)
      #expect(setting.table.count == 3)
      #expect(setting.refusal([Opening(gone)]) == .gone(gone, .evicted))
    }
    #expect(setting.ids() == ["g", "f", "e"])
    #expect(setting.table.endCounts == [.evicted: 4])
    // What is there already needs no room.
    _ = try setting.open([
      Opening("e"), Opening("f", .begin, replaces: true),
      Opening("g", .fork(from: "e"), replaces: true),
    ])
    #expect(setting.table.count == 3)
  }

  @Test func whatIsOpenStays() throws {
    var setting = Setting(rooms: 3)
    for id in ["a", "b", "c"] { try setting.leave(id) }
    _ = try setting.open([Opening("a")])
    _ = try setting.open([Opening("b", .begin, replaces: true)])
    try setting.leave("d")
    #expect(setting.ids() == ["d", "b", "a"])
    _ = try setting.open([Opening("d")])
    #expect(setting.refusal([Opening("e", .begin)]) == .full(limit: 3 * Self.size))
    setting.close("a", steps: 7)
    setting.close("b", steps: 8)
    setting.close("d", steps: 9)
    #expect(try setting.open([Opening("a"), Opening("b"), Opening("d")]) == [7, 8, 9])
  }

  /// Where what is open leaves too little, nobody goes in vain, and the request's own are as they were.
  @Test func aFullTableLosesNothing() throws {
    var setting = Setting(rooms: 3)
    for id in ["a", "b", "c"] { try setting.leave(id) }
    _ = try setting.open([Opening("a"), Opening("b")])
    let openings = [Opening("x", .begin), Opening("y", .begin)]
    #expect(setting.refusal(openings) == .full(limit: 3 * Self.size))
    #expect(setting.refusal([Opening("c"), Opening("x", .begin)]) == .full(limit: 3 * Self.size))
    #expect(setting.ids() == ["c", "b", "a"])
    #expect(setting.table.endCounts == [:])
    #expect(try setting.open([Opening("c")]) == [1])
  }

  /// Its source may have to go for a fork, whose state is taken by then.
  @Test func aForkMayTakeItsSourcesRoom() throws {
    var setting = Setting(rooms: 1)
    try setting.leave("a", steps: 5)
    #expect(try setting.open([Opening("b", .fork(from: "a"))]) == [5])
    setting.close("b", steps: 6)
    #expect(setting.ids() == ["b"])
    #expect(setting.refusal([Opening("a")]) == .gone("a", .evicted))
  }

  // MARK: - What is remembered

  @Test func aNameUsedAnewSaysNothingOfTheOldEnd() throws {
    var setting = Setting()
    try setting.leave("a")
    try setting.end("a")
    #expect(setting.refusal([Opening("a")]) == .gone("a", .ended))
    _ = try setting.open([Opening("a", .begin)])
    setting.close("a", steps: nil)
    #expect(setting.refusal([Opening("a")]) == .unknown("a"))
    try setting.leave("a", steps: 2)
    #expect(try setting.open([Opening("a")]) == [2])
    setting.close("a", steps: 3)
    setting.now += .seconds(1000)
    #expect(setting.refusal([Opening("a")]) == .gone("a", .expired))
  }

  @Test func endsAreForgotten() throws {
    var setting = Setting()
    func key(_ index: Int) -> SessionTable.Key { .init(model: "m", id: "s\(index)") }
    for index in 0..<SessionEnds.maxCount { setting.table.remember(key(index), .ended) }
    #expect(setting.refusal([Opening("s0")]) == .gone("s0", .ended))
    setting.table.remember(.init(model: "m", id: "one more"), .otherModel)
    #expect(setting.refusal([Opening("s0")]) == .unknown("s0"))
    #expect(setting.refusal([Opening("s1")]) == .gone("s1", .ended))
    // An end that came again later is remembered from then on.
    setting.table.remember(key(1), .evicted)
    setting.table.remember(key(0), .expired)
    #expect(setting.refusal([Opening("s1")]) == .gone("s1", .evicted))
    #expect(setting.refusal([Opening("s0")]) == .gone("s0", .expired))
    #expect(setting.refusal([Opening("s2")]) == .unknown("s2"))
  }

  // MARK: - What operators see

  @Test func usageByModel() throws {
    var setting = Setting()
    try setting.leave("a", model: "m")
    try setting.leave("b", model: "m")
    try setting.leave("ab", model: "n")
    #expect(setting.table.usage["m"].map { [$0.count, $0.byteCount] } == [2, 2 * Self.size])
    #expect(setting.table.usage["n"].map { [$0.count, $0.byteCount] } == [1, Self.size + 1])
    try setting.end("a")
    #expect(setting.table.usage["m"].map { [$0.count, $0.byteCount] } == [1, Self.size])
    #expect(setting.table.byteCount == 2 * Self.size + 1)
    #expect(setting.table.usage["o"] == nil)
  }

  @Test func listings() throws {
    var setting = Setting()
    try setting.leave("a", steps: 4)
    try setting.leave("b", steps: 5)
    try setting.leave("x", model: "n")
    try setting.leave("c", steps: 6)
    setting.now += .seconds(10)
    _ = try setting.open([Opening("a")])
    setting.close("a", steps: 7)
    setting.now += .seconds(2)
    let all: [SessionTable.Listing] = [
      .init(id: "a", steps: 7, age: .seconds(15), idle: .seconds(2)),
      .init(id: "c", steps: 6, age: .seconds(12), idle: .seconds(12)),
      .init(id: "b", steps: 5, age: .seconds(14), idle: .seconds(14)),
    ]
    for limit in 0...4 {
      #expect(
        setting.table.listings(of: "m", limit: limit, now: setting.now) == Array(all.prefix(limit)))
    }
    #expect(try setting.listing("b") == all[2])
  }

  // MARK: - To another process

  @Test func recordsKeepOrderAndAges() throws {
    var setting = Setting()
    for (index, id) in ["a", "b", "c"].enumerated() { try setting.leave(id, steps: index + 1) }
    setting.now += .seconds(3)
    _ = try setting.open([Opening("b"), Opening("begun", .begin), Opening("a")])
    setting.close("b", steps: 20)
    let records = setting.records
    // What a request has open is there as it was before, and what never had a state is not.
    #expect(
      records == [
        .init(
          key: .init(model: "m", id: "a"), state: Self.state(1), age: .seconds(5), idle: .seconds(5)
        ),
        .init(
          key: .init(model: "m", id: "c"), state: Self.state(3), age: .seconds(3), idle: .seconds(3)
        ),
        .init(
          key: .init(model: "m", id: "b"), state: Self.state(20), age: .seconds(4), idle: .zero),
      ])
    var next = Setting(rooms: 3)
    next.now += .seconds(77)
    for record in records { next.table.restore(record, now: next.now) }
    #expect(next.records == records)
    #expect(next.ids() == ["b", "c", "a"])
    #expect(next.table.byteCount == 3 * Self.size)
    try next.leave("d")
    #expect(next.refusal([Opening("a")]) == .gone("a", .evicted))
    #expect(try next.open([Opening("b"), Opening("c")]) == [20, 3])
  }

  /// The idle time of before counts.
  @Test(arguments: [(99, true), (100, false)])
  func restoredSessionsExpire(idle: Int, isThere: Bool) {
    var setting = Setting(idle: .seconds(100))
    setting.table.restore(
      .init(
        key: .init(model: "m", id: "a"), state: Self.state(1), age: .seconds(1000),
        idle: .seconds(idle)), now: setting.now)
    #expect(setting.refusal([Opening("a")]) == (isThere ? nil : .gone("a", .expired)))
  }

  /// Into a smaller table go those used last, and the others' clients are told.
  @Test func restoresWhatFits() {
    var setting = Setting(rooms: 2)
    for (index, id) in ["long name", "a", "b", "c"].enumerated() {
      setting.table.restore(
        .init(
          key: .init(model: "m", id: id),
          state: id == "long name"
            ? SequenceState(position: 1, floats: Array(repeating: 0, count: 1000))
            : Self.state(index), age: .zero, idle: .zero), now: setting.now)
    }
    #expect(setting.ids() == ["c", "b"])
    for id in ["a", "long name"] {
      #expect(setting.refusal([Opening(id)]) == .gone(id, .evicted))
    }
  }

  @Test func restoresNoNameTwice() {
    var setting = Setting()
    for steps in 1...2 {
      setting.table.restore(
        .init(
          key: .init(model: "m", id: "a"), state: Self.state(steps), age: .zero, idle: .zero),
        now: setting.now)
    }
    #expect(setting.table.count == 1 && setting.table.byteCount == Self.size)
    #expect(setting.ids() == ["a"])
  }
}
