import Cryptography
import Inference
import Scheduling
import TestSupport
import Testing

@testable import API
@testable import Serving

@Suite struct SessionFileTests {
  private static func record(
    _ id: String, model: String = "mean", steps: Int = 3, floats: [Float]
  ) -> SessionTable.Record {
    .init(
      key: .init(model: model, id: id), state: .init(position: steps, floats: floats),
      age: .seconds(5), idle: .milliseconds(70))
  }

  /// A service, and a file of two sessions for it.
  private func small() throws -> (Service, SessionFileBytes) {
    let service = try Service.make(TestModels.mean())
    let model = try service.parts.models.snapshot.defaultModel()
    let fingerprint = try #require(model.fingerprint)
    let floats = (0..<model.graph.stateFloatCount).map { Float($0) - 2.5 }
    let file = SessionFileBytes(
      time: ProcessStatistics.now,
      models: [("mean", fingerprint.bytes, floats.count)],
      records: [Self.record("s", floats: floats), Self.record("t-2", steps: 9, floats: floats)],
      ends: [(.init(model: "mean", id: "gone"), 1)])
    return (service, file)
  }

  private func page(_ service: Service, _ id: String) async -> (status: Int, body: String) {
    let answer = await service.answer("GET", "/models/mean/sessions/\(id)")
    return (answer.status, answer.body)
  }

  /// What a service writes is what was laid out by hand.
  @Test func layout() async throws {
    let (service, file) = try small()
    try service.imported(file.bytes)
    let bytes = service.exported(generation: 9)
    let head = try SessionFileHead(bytes: Array(bytes.prefix(SessionFileHead.byteCount)))
    #expect(head == SessionFileHead(time: head.time, count: 2, generation: 9, isSpent: false))
    #expect(abs(head.time - ProcessStatistics.now) < 3600)
    var again = file
    (again.time, again.generation) = (head.time, 9)
    // Only its ages depend on when it was written.
    let records = service.parts.sessions.withTable { table in
      var walk = table.walk()
      return table.records(&walk, now: .now)
    }
    #expect(records.map(\.key.id) == file.records.map(\.key.id))
    #expect(records.map(\.state) == file.records.map(\.state))
    #expect(bytes.count == again.bytes.count)
    #expect(
      bytes.prefix(SessionFileHead.byteCount) == again.bytes.prefix(SessionFileHead.byteCount))
    let second = try Service.make(TestModels.mean())
    #expect(try second.imported(bytes).restored == 2)
    for id in ["s", "t-2"] { #expect(await page(second, id).status == 200) }
    let gone = await page(second, "gone")
    #expect(gone.status == 410 && gone.body.contains("max_session_bytes"))
  }

  @Test(arguments: [UInt8(1), 2, 3, 4, 5])
  func endsAreRememberedInTheNextProcess(code: UInt8) async throws {
    var (service, file) = try small()
    file.ends[0].code = code
    for _ in 0..<2 {
      try service.imported(file.bytes)
      let found = await page(service, "gone")
      #expect(found.status == 410)
      let words = [
        "", "needed its room", "session_idle_seconds", "ended it", "another model", "hand",
      ]
      #expect(found.body.contains(words[Int(code)]))
      let next = try Service.make(TestModels.mean())
      try next.imported(service.exported())
      #expect(await page(next, "gone").body == found.body)
      service = next
    }
  }

  /// However a file is cut, nothing of it is taken.
  @Test func everyTruncation() async throws {
    let (service, file) = try small()
    let bytes = file.bytes
    for count in 0..<bytes.count {
      #expect(throws: SessionFileFlaw.self) { try service.imported(Array(bytes.prefix(count))) }
      #expect(service.sessionTransfer.count == 0)
    }
    #expect(await page(service, "gone").status == 404)
    #expect(throws: SessionFileFlaw.trailing(offset: bytes.count)) {
      try service.imported(bytes + [0])
    }
    #expect(service.sessionTransfer.count == 0)
  }

  @Test func everyFlippedBit() throws {
    let (service, file) = try small()
    let bytes = file.bytes
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 1 << UInt8(index % 8)
      #expect(throws: SessionFileFlaw.self) { try service.imported(damaged) }
      #expect(service.sessionTransfer.count == 0)
    }
  }

  /// Blocks that are each whole, and not those that were written.
  @Test func blocksThatAreNotTheirs() throws {
    let (service, file) = try small()
    let blocks = file.blocks
    func refused(_ blocks: [(UInt8, [UInt8])], _ file: SessionFileBytes) -> Bool {
      do throws(SessionFileFlaw) {
        try service.imported(file.bytes(of: blocks))
        return false
      } catch { return service.sessionTransfer.count == 0 }
    }
    #expect(refused([], file))
    #expect(refused(Array(blocks.dropLast()), file))
    #expect(refused(Array(blocks.dropFirst()), file))
    #expect(refused([blocks[0], blocks[2], blocks[3]], file))
    #expect(refused([blocks[0]] + blocks, file))
    #expect(refused([blocks[0], blocks[1], blocks[1], blocks[2], blocks[3]], file))
    for kind: UInt8 in [0, 5, 255] {
      #expect(refused([blocks[0], (kind, blocks[1].1), blocks[2], blocks[3]], file))
    }
    var other = file
    other.count = 3
    #expect(refused(other.blocks, other))
    // In the order of a chain of hashes, not of their own.
    let bytes = file.bytes
    let first = SessionFileHead.byteCount
    let second = first + 5 + blocks[0].1.count + 32
    let third = second + 5 + blocks[1].1.count + 32
    let fourth = third + 5 + blocks[2].1.count + 32
    let parts = [first..<second, second..<third, third..<fourth, fourth..<bytes.count]
    let swapped = [0, 2, 1, 3].flatMap { bytes[parts[$0]] }
    #expect(throws: SessionFileFlaw.damaged(offset: second)) {
      try service.imported(Array(bytes[..<first]) + swapped)
    }
  }

  /// Whatever stands in it, under hashes that fit: an error or sessions, never a trap.
  @Test func hashedNonsense() throws {
    let (service, file) = try small()
    let blocks = file.blocks
    var noise = SeededNumbers(state: 9)
    var (refused, taken) = (0, 0)
    for _ in 0..<4000 {
      var damaged = blocks
      let block = Int(noise.next() % UInt32(blocks.count))
      for _ in 0..<1 + Int(noise.next() % 3) {
        damaged[block].1[Int(noise.next() % UInt32(damaged[block].1.count))] =
          [0, 0x7F, 0xFF, UInt8(truncatingIfNeeded: noise.next())][Int(noise.next() % 4)]
      }
      if noise.next() % 4 == 0 { damaged[block].1.removeLast() }
      do throws(SessionFileFlaw) {
        try service.imported(file.bytes(of: damaged))
        taken += 1
      } catch {
        #expect(service.sessionTransfer.count == 0)
        refused += 1
      }
      service.sessionTransfer.forget()
    }
    #expect(refused > 1000 && taken > 100)
  }

  /// Numbers that can't be.
  @Test(arguments: [
    (0, UInt64(0x7FF8_0000_0000_0000)), (0, 0xFFF0_0000_0000_0000), (0, 0x4340_0000_0000_0000),
    (1, .max), (2, 1 << 62), (3, 3),
  ])
  func headsThatCannotBe(word: Int, value: UInt64) {
    var bytes = Array(
      SessionFileHead(time: 1, count: 2, generation: 3, isSpent: false).bytes.dropLast(32))
    for index in 0..<8 { bytes[20 + 8 * word + index] = UInt8(value >> (8 * UInt64(index)) & 255) }
    #expect(throws: SessionFileFlaw.damaged(offset: 20)) {
      try SessionFileHead(bytes: bytes + Digest.hash(bytes.span))
    }
  }

  /// One that a store has taken over is spent, too.
  @Test func headsSayWhoHasTheSessions() throws {
    for (isSpent, isInStore) in [(false, false), (true, false), (true, true)] {
      var head = SessionFileHead(time: 1, count: 2, generation: 3, isSpent: isSpent)
      head.isInStore = isInStore
      #expect(try SessionFileHead(bytes: head.bytes) == head)
    }
  }

  @Test(arguments: [0, 1 << 62 + 1, 1 << 62, 1])
  func steps(count: Int) throws {
    var (service, file) = try small()
    let floats = file.records[0].state.floats
    file.records = [Self.record("s", steps: count, floats: floats)]
    if count == 1 || count == 1 << 62 {
      #expect(try service.imported(file.bytes).restored == 1)
    } else {
      #expect(throws: SessionFileFlaw.self) { try service.imported(file.bytes) }
    }
  }

  @Test(arguments: [
    (Array("carousel sessions 1\n".utf8), SessionFileFlaw.version("1")),
    (Array("carousel sessions 30000000000\n".utf8), .version("30000000")),
    (Array("carousel sessions".utf8), .magic), (Array("{}".utf8), .magic), ([], .magic),
    (Array("carousel sessions 2\n".utf8), .truncated),
  ])
  func otherFiles(bytes: [UInt8], flaw: SessionFileFlaw) {
    #expect(throws: flaw) { try SessionFileHead(bytes: bytes) }
  }

  /// A file of many blocks: none is longer than was agreed, and all arrive.
  @Test func manyBlocks() async throws {
    var (service, file) = try small()
    let floats = file.records[0].state.floats
    file.records = (0..<20_000).map {
      Self.record("session-\($0)-\(String(repeating: "k", count: 100))", floats: floats)
    }
    #expect(try service.imported(file.bytes).restored == 20_000)
    var sizes: [Int] = []
    service.sessionTransfer.freeze()
    _ = service.sessionTransfer.export { sizes.append($0.count) }
    #expect(sizes.count > 5)
    #expect(sizes.allSatisfy { $0 < SessionFileBlock.byteCount + 1024 })
    let next = try Service.make(TestModels.mean())
    #expect(try next.imported(service.exported()).restored == 20_000)
  }

  /// A file that a process has gone on with: its clients are told, and others' ids are not known.
  @Test func lostSessions() async throws {
    let (service, file) = try small()
    #expect(try service.imported(file.bytes, asLost: true).restored == 0)
    for id in ["s", "t-2"] {
      let answer = await page(service, id)
      #expect(answer.status == 410)
      #expect(
        answer.body
          == #"{"error":"session \"\#(id)\" is gone: the process that had it did not hand it over, as one does that ends cleanly"}"#
          + "\n")
    }
    #expect(await page(service, "u").status == 404)
    let refused = await service.predict(#"{"inputs":[1],"session":"s"}"#)
    #expect(refused.status == 410)
    let begun = await service.predict(#"{"inputs":[1],"session":{"id":"s","begin":true}}"#)
    #expect(begun.status == 200)
    #expect(await page(service, "s").status == 200)
    #expect(await service.answer("DELETE", "/models/mean/sessions/s").status == 200)
    #expect(await page(service, "s").body.contains("a request ended it"))
  }

  /// More than are remembered by name.
  @Test func manyLostSessions() async throws {
    var (service, file) = try small()
    let floats = file.records[0].state.floats
    file.records = (0..<SessionEnds.maxCount + 10).map {
      Self.record("k\($0)", floats: floats)
    }
    try service.imported(file.bytes, asLost: true)
    for index in [0, 9, 10, SessionEnds.maxCount + 9] {
      #expect(await page(service, "k\(index)").status == 410)
    }
    #expect(await page(service, "k\(SessionEnds.maxCount + 10)").status == 404)
  }

  /// What was lost once is handed on from process to process, until its client begins it again.
  @Test func lostSessionsOfProcessesBefore() async throws {
    var (service, file) = try small()
    let older = try hash("older", of: service)
    file.lost = [0x0123_4567_89AB_CDEF, older]
    try service.imported(file.bytes, asLost: true)
    let hashes = service.parts.sessions.withTable { $0.rememberedLost }
    #expect(hashes.prefix(2) == file.lost[...] && hashes.count == 4)
    for _ in 0..<3 {
      let next = try Service.make(TestModels.mean())
      try next.imported(service.exported())
      for id in ["older", "s", "t-2"] {
        let answer = await page(next, id)
        #expect(answer.status == 410 && answer.body.contains("did not hand it over"))
      }
      #expect(await page(next, "u").status == 404)
      #expect(next.parts.sessions.withTable { $0.rememberedLost } == hashes)
      service = next
    }
    let last = try Service.make(TestModels.mean())
    try last.imported(service.exported())
    #expect(
      await last.predict(#"{"inputs":[1],"session":{"id":"older","begin":true}}"#).status == 200)
    #expect(
      last.parts.sessions.withTable { $0.rememberedLost }
        == hashes.filter { $0 != older })
  }

  /// FNV-1a of the model's fingerprint, a zero, and the id.
  private func hash(_ id: String, of service: Service) throws -> UInt64 {
    let owner = try service.parts.models.snapshot.defaultModel().sessionOwner
    return (Array(owner.utf8) + [0] + id.utf8).reduce(0xCBF2_9CE4_8422_2325) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01B3
    }
  }

  /// Of the layout by hand: a file that holds nothing but what was lost.
  @Test(arguments: [1, SessionFileBlock.byteCount / 8, SessionFileBlock.byteCount / 8 + 1])
  func lostBlocks(count: Int) throws {
    var (service, file) = try small()
    (file.records, file.ends, file.lost) = ([], [], (0..<UInt64(count)).map { $0 &* 0x9E37_79B9 })
    try service.imported(file.bytes)
    let found = service.exported()
    if count <= SessionFileBlock.byteCount / 8 {
      #expect(
        found.dropFirst(SessionFileHead.byteCount)
          == file.bytes.dropFirst(SessionFileHead.byteCount))
    }
    let next = try Service.make(TestModels.mean())
    try next.imported(found)
    #expect(next.parts.sessions.withTable { $0.rememberedLost } == file.lost)
    // Eight bytes each.
    var blocks = file.blocks
    blocks[1].1.removeLast()
    #expect(throws: SessionFileFlaw.self) { try service.imported(file.bytes(of: blocks)) }
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
    let bytes = first.exported()
    let second = try Service.make(models.0, models.1)
    let found = try second.imported(bytes)
    #expect(found.restored == 3 && found.refused.isEmpty)
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
    #expect(try service.imported(service.exported()).restored == 0)
  }

  /// From then on nothing moves, begins or ends, and everybody is told.
  @Test func frozen() async throws {
    let service = try Service.make(SmallModels.forecaster())
    await begin(service, "s", "[1,2]")
    service.sessionTransfer.freeze()
    for session in [#""s""#, #"{"id":"t","begin":true}"#, #"{"id":"t","fork":"s"}"#] {
      let answer = await service.predict(#"{"inputs":[1],"session":\#(session)}"#)
      #expect(answer.status == 503)
      #expect(answer.body.contains("about to stop"))
    }
    #expect(await service.answer("DELETE", "/models/small/sessions/s").status == 503)
    #expect(await service.answer("GET", "/models/small/sessions/s").body.contains(#""steps":2"#))
    #expect(await service.predict(#"{"inputs":[1]}"#).status == 200)
    let next = try Service.make(SmallModels.forecaster())
    #expect(try next.imported(service.exported()).restored == 1)
  }

  /// Other weights, another precision, a model that has no states any more, or none of that name.
  @Test func anotherModel() async throws {
    let first = try Service.make(SmallModels.forecaster())
    await begin(first, "s", "[1,2]")
    let bytes = first.exported()
    for other in [
      try ModelGraph(SmallModels.forecaster(seed: 2)),
      try ModelGraph(SmallModels.forecaster(), precision: .int8),
      try ModelGraph(SmallModels.forecaster(.bidirectional)),
    ] {
      let service = Service(engines: [("small", Engine(graph: other))])
      let found = try service.imported(bytes)
      #expect(found.restored == 0 && found.refused.map(\.model) == ["small"])
      #expect(found.refused.map(\.count) == [1])
      let page = await service.answer("GET", "/models/small/sessions/s")
      #expect(page.status == 410)
      #expect(
        page.body
          == #"{"error":"session \"s\" is gone: another model is called \"small\" now"}"#
          + "\n")
    }
    // The name is no matter.
    let renamed = try Service.make(SmallModels.forecaster(name: "other"))
    #expect(try renamed.imported(bytes).restored == 1)
    #expect(
      await renamed.answer("GET", "/models/other/sessions/s").body.contains(#""steps":2"#))
    let unknown = try Service.make(SmallModels.forecaster(name: "other", seed: 2))
    #expect(
      try unknown.imported(bytes).refused.map(\.reason) == ["no model of that name is served"])
    #expect(await unknown.answer("GET", "/models/other/sessions/s").status == 404)
    // It may begin again.
    let service = try Service.make(SmallModels.forecaster(seed: 2))
    try service.imported(bytes)
    await begin(service, "s", "[1]")
    #expect(await service.predict(#"{"inputs":[1],"session":"s"}"#).status == 200)
  }

  private func service(idle: Duration = .seconds(3600)) throws -> (Service, ModelFingerprint) {
    var settings = ServiceSettings()
    settings.sessions.idleTimeout = idle
    let service = try Service.make(TestModels.mean(), settings: settings)
    return (service, try #require(service.parts.models.snapshot.defaultModel().fingerprint))
  }

  /// States of a size that its model does not have would stop the engine.
  @Test(arguments: [-1, 0, 1])
  func statesOfAnotherSize(excess: Int) async throws {
    let (service, fingerprint) = try service()
    let count = try service.parts.models.snapshot.defaultModel().graph.stateFloatCount
    let file = SessionFileBytes(
      time: ProcessStatistics.now, models: [("mean", fingerprint.bytes, count + excess)],
      records: [Self.record("s", floats: Array(repeating: 0, count: count + excess))])
    let found = try service.imported(file.bytes)
    #expect(found.restored == (excess == 0 ? 1 : 0))
    #expect(
      found.refused.map(\.reason)
        == (excess == 0
          ? [] : ["a state has \(count) numbers, one of the file's \(count + excess)"]))
    let answer = await service.predict(#"{"inputs":[1],"session":"s"}"#)
    #expect(answer.status == (excess == 0 ? 200 : 410))
  }

  /// Time between two processes is time in which nobody used a session; a clock set back is none.
  @Test(arguments: [(0.0, 300), (400, 700), (50_000, 50_300), (99_710, nil), (-5000, 300)])
  func timeAwayIsIdleTime(away: Double, idle: Int?) async throws {
    let (service, fingerprint) = try service(idle: .seconds(100_000))
    let count = try service.parts.models.snapshot.defaultModel().graph.stateFloatCount
    let begun = ContinuousClock.now
    let file = SessionFileBytes(
      time: ProcessStatistics.now - away, models: [("mean", fingerprint.bytes, count)],
      records: [
        .init(
          key: .init(model: "mean", id: "s"),
          state: .init(position: 7, floats: Array(repeating: 0, count: count)),
          age: .seconds(2000), idle: .seconds(300))
      ])
    #expect(try service.imported(file.bytes).restored == (idle == nil ? 0 : 1))
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
