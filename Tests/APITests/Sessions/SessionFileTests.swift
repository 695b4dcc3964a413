import Inference
import Scheduling
import TestSupport
import Testing

@testable import API

@Suite struct SessionFileTests {
  private static func fingerprint(_ byte: UInt8) -> ModelFingerprint {
    ModelFingerprint(bytes: Array(repeating: byte, count: ModelFingerprint.byteCount)[...])
  }

  private static func entry(
    _ id: String, model: String = "co2", steps: Int = 3, floats: [Float] = [1, -2.5],
    age: Duration = .milliseconds(5000), idle: Duration = .milliseconds(70)
  ) -> SessionFile.Entry {
    .init(
      fingerprint: fingerprint(UInt8(truncatingIfNeeded: id.utf8.count)),
      record: .init(
        key: .init(model: model, id: id), state: .init(position: steps, floats: floats), age: age,
        idle: idle))
  }

  private static let small = SessionFile(
    time: 1_700_000_000.25, entries: [entry("s", floats: [1, -2.5]), entry("t-2", floats: [])])

  @Test(arguments: [
    [], [entry("a")], [entry("a", floats: [])],
    [
      entry("k-._~:", model: "é \"model\"", steps: 1, floats: [0, -0.0, .leastNonzeroMagnitude]),
      entry(String(repeating: "k", count: 128), steps: 1 << 62, floats: [.pi, .infinity]),
      entry("c", age: .milliseconds(1 << 53), idle: .zero),
    ],
  ])
  private func roundTrip(entries: [SessionFile.Entry]) throws {
    let file = SessionFile(time: 1_763_999_999.125, entries: entries)
    let again = try SessionFile(bytes: file.bytes)
    #expect(again.time == 1_763_999_999.125)
    #expect(again.entries == entries)
    // Equal floats may differ in bits.
    #expect(
      again.entries.map { $0.record.state.floats.map(\.bitPattern) }
        == entries.map { $0.record.state.floats.map(\.bitPattern) })
    #expect(again.bytes == file.bytes)
  }

  /// The layout, byte by byte: what is written today is read tomorrow.
  @Test func layout() {
    let bytes = SessionFile(time: 1, entries: [Self.entry("s", steps: 258, floats: [1])]).bytes
    let expected: [UInt8] =
      Array("carousel sessions 1\n".utf8) + [0, 0, 0, 0, 0, 0, 0xF0, 0x3F]
      + [1, 0, 0, 0, 0, 0, 0, 0] + Array(repeating: 1, count: 16) + [3, 0] + Array("co2".utf8)
      + [1, 0] + Array("s".utf8) + [2, 1, 0, 0, 0, 0, 0, 0] + [0x88, 0x13, 0, 0, 0, 0, 0, 0]
      + [70, 0, 0, 0, 0, 0, 0, 0] + [1, 0, 0, 0] + [0, 0, 0x80, 0x3F]
    #expect(Array(bytes.dropLast(32)) == expected)
    #expect(Array(bytes.suffix(32)) == Digest.hash(expected.span))
  }

  @Test func everyTruncation() {
    let bytes = Self.small.bytes
    for count in 0..<bytes.count {
      #expect(throws: count < 20 ? SessionFileFlaw.magic : .hash) {
        try SessionFile(bytes: Array(bytes.prefix(count)))
      }
    }
    #expect(throws: SessionFileFlaw.hash) { try SessionFile(bytes: bytes + [0]) }
  }

  @Test func everyFlippedBit() {
    let bytes = Self.small.bytes
    for index in bytes.indices {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[index] ^= 1 << bit
        #expect(throws: index < 20 ? SessionFileFlaw.magic : .hash) {
          try SessionFile(bytes: damaged)
        }
      }
    }
  }

  /// Whatever stands in it, under a hash that fits: an error or entries, never a trap.
  @Test func hashedNonsense() {
    let body = Array(Self.small.bytes.dropLast(32))
    var noise = SeededNumbers(state: 9)
    var refused = 0
    for round in 0..<4000 {
      var damaged = body
      if round < body.count {
        damaged = Array(body.prefix(round))
      } else {
        for _ in 0..<1 + Int(noise.next() % 3) {
          damaged[20 + Int(noise.next()) % (body.count - 20)] =
            [0, 0x7F, 0xFF, UInt8(truncatingIfNeeded: noise.next())][Int(noise.next() % 4)]
        }
      }
      if (try? SessionFile(bytes: damaged + Digest.hash(damaged.span))) == nil { refused += 1 }
    }
    #expect(refused >= body.count && refused < 4000)
  }

  /// Numbers that can't be: at their first byte.
  @Test(arguments: [
    (20, 8, [0, 0, 0, 0, 0, 0, 0xF8, 0x7F], 20),  // The time is no number,
    (20, 8, [0, 0, 0, 0, 0, 0, 0xF0, 0xFF], 20),  // or infinite,
    (20, 8, [0, 0, 0, 0, 0, 0, 0x40, 0x43], 20),  // or 2⁵³.
    (28, 8, [3, 0, 0, 0, 0, 0, 0, 0], 150),  // Another entry than there are,
    (28, 8, [1, 0, 0, 0, 0, 0, 0, 0], 96),  // or one fewer,
    (28, 8, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], 28),  // or all that can be told.
    (52, 2, [0xFF, 0xFF], 52),  // A name longer than the file.
    (60, 8, [0, 0, 0, 0, 0, 0, 0, 0], 60),  // No step done,
    (60, 8, [1, 0, 0, 0, 0, 0, 0, 0x40], 60),  // or more than 2⁶².
    (68, 8, [1, 0, 0, 0, 0, 0, 0x20, 0], 68),  // Older than 2⁵³ ms.
    (76, 8, [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], 76),
    (84, 4, [0xFF, 0xFF, 0xFF, 0xFF], 84),  // More floats than the file holds.
  ])
  func numbersThatCannotBe(offset: Int, count: Int, bytes: [UInt8], flaw: Int) {
    var body = Array(Self.small.bytes.dropLast(32))
    #expect(body[52..<60] == [3, 0, 0x63, 0x6F, 0x32, 1, 0, 0x73])
    body.replaceSubrange(offset..<offset + count, with: bytes)
    #expect(throws: SessionFileFlaw.layout(offset: flaw)) {
      try SessionFile(bytes: body + Digest.hash(body.span))
    }
  }

  @Test(arguments: [
    (SessionFileFlaw.magic, "it is no file of sessions"),
    (.hash, "it is damaged: its hash is not that of its content"),
    (.layout(offset: 70), "it is damaged at byte 70"),
  ])
  func sentences(flaw: SessionFileFlaw, text: String) {
    #expect("\(flaw)" == text)
  }

  // MARK: - From one service to the next

  private func begin(
    _ service: Service, _ id: String, _ inputs: String, model: String? = nil
  ) async {
    let answer = await service.predict(
      #"{"inputs":\#(inputs),"session":{"id":"\#(id)","begin":true}}"#, model: model)
    #expect(answer.status == 200)
  }

  @Test func goesOnInTheNextProcess() async throws {
    let models = (
      try SmallModels.forecaster(name: "a"), try SmallModels.forecaster(.pooled, name: "b")
    )
    let first = try Service.make(models.0, models.1)
    await begin(first, "s", "[1,2]", model: "a")
    await begin(first, "s", "[3]", model: "b")
    await begin(first, "t", "[4]", model: "a")
    let (count, bytes) = first.exportedSessions()
    #expect(count == 3)
    let second = try Service.make(models.0, models.1)
    #expect(try second.importSessions(from: bytes) == (3, 3))
    for (model, id, whole, steps) in [
      ("a", "s", "[1,2,9]", 3), ("b", "s", "[3,9]", 2), ("a", "t", "[4,9]", 2),
    ] {
      let found = await second.predict(#"{"inputs":[9],"session":"\#(id)"}"#, model: model).body
      let expected = await first.predict(#"{"inputs":\#(whole)}"#, model: model).body
      #expect(
        found
          == expected.dropLast(2) + #","session":{"id":"\#(id)","steps":\#(steps)}}"# + "\n")
    }
  }

  @Test func nothingToExport() throws {
    let service = try Service.make(SmallModels.forecaster())
    let (count, bytes) = service.exportedSessions()
    #expect(count == 0)
    #expect(try service.importSessions(from: bytes) == (0, 0))
    #expect(throws: SessionFileFlaw.magic) { try service.importSessions(from: []) }
  }

  /// Other weights, another precision, a model that has no states any more, or none of that name.
  @Test func anotherModel() async throws {
    let first = try Service.make(SmallModels.forecaster())
    await begin(first, "s", "[1,2]")
    let bytes = first.exportedSessions().bytes
    for other in [
      try ModelGraph(SmallModels.forecaster(seed: 2)),
      try ModelGraph(SmallModels.forecaster(), precision: .int8),
      try ModelGraph(SmallModels.forecaster(.bidirectional)),
    ] {
      let service = Service(engines: [("small", Engine(graph: other))])
      #expect(try service.importSessions(from: bytes) == (0, 1))
      let page = await service.answer("GET", "/models/small/sessions/s")
      #expect(page.status == 410)
      #expect(
        page.body
          == #"{"error":"session \"s\" is gone: the server started again with another model \"small\""}"#
          + "\n")
    }
    let renamed = try Service.make(SmallModels.forecaster(name: "other"))
    #expect(try renamed.importSessions(from: bytes) == (0, 1))
    #expect(await renamed.answer("GET", "/models/other/sessions/s").status == 404)
    // It may begin again.
    let service = try Service.make(SmallModels.forecaster(seed: 2))
    _ = try service.importSessions(from: bytes)
    await begin(service, "s", "[1]")
    #expect(await service.predict(#"{"inputs":[1],"session":"s"}"#).status == 200)
  }

  private func service(idle: Duration = .seconds(3600)) throws -> (Service, ModelFingerprint) {
    var settings = ServiceSettings()
    settings.sessions.idleTimeout = idle
    let service = try Service.make(TestModels.mean(), settings: settings)
    return (service, try #require(service.models.defaultModel?.fingerprint))
  }

  /// States of a size that its model does not have would stop the engine.
  @Test(arguments: [-1, 0, 1])
  func statesOfAnotherSize(excess: Int) async throws {
    let (service, fingerprint) = try service()
    let count = try #require(service.models.defaultModel).graph.stateFloatCount
    let record = SessionTable.Record(
      key: .init(model: "mean", id: "s"),
      state: .init(position: 1, floats: Array(repeating: 0, count: count + excess)), age: .zero,
      idle: .zero)
    let file = SessionFile(
      time: ProcessStatistics.now, entries: [.init(fingerprint: fingerprint, record: record)])
    #expect(try service.importSessions(from: file.bytes) == (excess == 0 ? 1 : 0, 1))
    let answer = await service.predict(#"{"inputs":[1],"session":"s"}"#)
    #expect(answer.status == (excess == 0 ? 200 : 410))
  }

  /// Time between two processes is time in which nobody used a session; a clock set back is none.
  @Test(arguments: [(0.0, 300), (400, 700), (50_000, 50_300), (99_710, nil), (-5000, 300)])
  func timeAwayIsIdleTime(away: Double, idle: Int?) async throws {
    let (service, fingerprint) = try service(idle: .seconds(100_000))
    let count = try #require(service.models.defaultModel).graph.stateFloatCount
    let record = SessionTable.Record(
      key: .init(model: "mean", id: "s"),
      state: .init(position: 7, floats: Array(repeating: 0, count: count)), age: .seconds(2000),
      idle: .seconds(300))
    let begun = ContinuousClock.now
    let file = SessionFile(
      time: ProcessStatistics.now - away,
      entries: [.init(fingerprint: fingerprint, record: record)])
    #expect(try service.importSessions(from: file.bytes) == (idle == nil ? 0 : 1, 1))
    let page = await service.answer("GET", "/models/mean/sessions/s")
    guard let idle else {
      #expect(page.status == 410)
      #expect(page.body.contains("session_idle_seconds"))
      return
    }
    // And what the test itself took.
    let taken = Int(begun.duration(to: .now) / .seconds(1)) + 1
    let found = try #require(page.body.split(separator: ",").last).split(separator: ":")
    let seconds = try #require(Int(found[1].dropLast(2)))
    #expect((idle...idle + taken).contains(seconds))
    #expect(page.body.hasPrefix(#"{"id":"s","steps":7,"age_seconds":"#))
  }
}
