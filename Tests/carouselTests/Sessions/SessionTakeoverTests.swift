import API
import Dispatch
import FoundationEssentials
import HTTPCore
import Inference
import Logging
import Scheduling
import SessionStores
import Synchronization
import TestSupport
import Testing

@testable import Serving
@testable import carousel

/// What a session file has, into a session store.
@Suite final class SessionTakeoverTests {
  private let folder = TemporaryFolder()
  private var path: String { "\(folder.path)/sessions" }
  private let lines = Lines()
  private var logger: Logger {
    Logger(label: "test") { [lines] _ in
      LineLogHandler(format: .text, level: .info) { bytes in
        lines.lines.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
      }
    }
  }

  /// What was logged.
  private final class Lines: Sendable {
    let lines = Mutex<[String]>([])
  }

  /// A file of sessions that takes nothing while it is away.
  private final class AwayStore: SessionStore {
    let inner: FileSessionStore
    let isAway = Mutex(false)
    /// How often it was handed something while it was away.
    let refusals = Atomic(0)
    /// Whether it says that it works while it is away, as one does that has just gone.
    let isSilent: Bool

    init(_ inner: FileSessionStore, isAway: Bool, isSilent: Bool = false) {
      self.inner = inner
      self.isSilent = isSilent
      self.isAway.withLock { $0 = isAway }
    }

    var durability: SessionDurability { inner.durability }
    var statistics: SessionStoreStatistics { inner.statistics }
    var problem: SessionStoreProblem? {
      isAway.withLock { $0 } && !isSilent ? .failing(reason: "away") : inner.problem
    }

    func attach(mayEnd: @escaping @Sendable (SessionTable.Key, SessionEnd) -> Bool) {
      inner.attach(mayEnd: mayEnd)
    }
    func fetch(
      _ keys: [SessionTable.Key], floatCount: Int,
      completion: @escaping @Sendable (Result<[SessionFinding], SessionStoreProblem>) -> Void
    ) { inner.fetch(keys, floatCount: floatCount, completion: completion) }
    func write(
      _ moves: [SessionMove],
      completion: @escaping @Sendable (Result<Void, SessionStoreProblem>) -> Void
    ) { inner.write(moves, completion: completion) }
    func touch(_ keys: [SessionTable.Key]) { inner.touch(keys) }
    func list(
      of model: String, limit: Int,
      completion: @escaping @Sendable (Result<SessionTable.Page, SessionStoreProblem>) -> Void
    ) { inner.list(of: model, limit: limit, completion: completion) }
    func close(completion: @escaping @Sendable (Bool) -> Void) {
      inner.close(completion: completion)
    }
    func takeOver(
      _ items: [SessionHandover],
      completion: @escaping @Sendable (Result<[HandoverOutcome], SessionStoreProblem>) -> Void
    ) {
      guard !isAway.withLock({ $0 }) else {
        refusals.add(1, ordering: .relaxed)
        return DispatchQueue.global().async { completion(.failure(.failing(reason: "away"))) }
      }
      inner.takeOver(items, completion: completion)
    }
  }

  /// A process: its service, with a store or without.
  private struct Process {
    let service: Service
    let files: SessionFiles

    /// The answer to a request.
    func ask(_ method: String, _ path: String, _ body: String = "") async -> (Int, String) {
      await withCheckedContinuation { continuation in
        service.handle(
          HTTPExchange(
            request: HTTPRequest(method: method, path: path, body: Array(body.utf8)),
            deliver: {
              continuation.resume(
                returning: ($0.status.code, String(decoding: $0.body, as: UTF8.self)))
            }))
      }
    }

    func begin(_ ids: String...) async {
      for id in ids {
        let body = #"{"inputs":[360],"session":{"id":"\#(id)","begin":true}}"#
        #expect(await ask("POST", "/predict", body).0 == 200)
      }
    }

    /// The answer of a session's next step.
    func step(_ id: String) async -> (Int, String) {
      await ask("POST", "/predict", #"{"inputs":[361],"session":"\#(id)"}"#)
    }

    /// The steps of a session, or the status that says why there are none.
    func steps(_ id: String) async -> Int {
      let (status, body) = await ask("GET", "/models/co2/sessions/\(id)")
      guard status == 200, let start = body.firstRange(of: #""steps":"#)?.upperBound else {
        return status
      }
      return Int(body[start...].prefix { $0.isNumber }) ?? -1
    }

    func end() async {
      await withCheckedContinuation { continuation in
        service.endSessions { _ in continuation.resume() }
      }
    }
  }

  private func fileStore() throws -> FileSessionStore {
    try FileSessionStore(path: "\(folder.path)/store.db")
  }

  private func process(_ store: (any SessionStore)? = nil) throws -> Process {
    let service = Service(
      engines: [("co2", Engine(graph: try BundledModel.graph()))], sessionStore: store)
    return Process(service: service, files: try SessionFiles(paths: [path], logger: logger))
  }

  /// A process without a store that begins sessions, and ends.
  private func leave(_ ids: String...) async throws {
    let process = try process()
    process.files.read(into: process.service.sessionTransfer)
    process.files.claim(for: process.service.sessionTransfer)
    for id in ids { await process.begin(id) }
    #expect(process.files.write(process.service.sessionTransfer))
  }

  private func takeover(_ process: Process) throws -> SessionTakeover {
    try #require(process.service.sessionTakeover)
  }

  private var head: SessionFileHead {
    get throws {
      let bytes = try Data(contentsOf: URL(filePath: path))
      return try SessionFileHead(bytes: Array(bytes.prefix(SessionFileHead.byteCount)))
    }
  }

  private func logged(_ text: String) -> Bool {
    lines.lines.withLock { $0.contains { $0.contains(text) } }
  }

  // MARK: - One process after another

  @Test func onceAndThenTheStoreAlone() async throws {
    try await leave("s", "t")
    let first = try process(try fileStore())
    #expect(first.files.read(into: try takeover(first)))
    #expect(try !head.isSpent)
    first.files.claim(for: try takeover(first))
    #expect(try head.isSpent && head.isInStore)
    #expect(logged("session_file was taken over into the session store"))
    #expect(logged("expired=0") && logged("found=2 kept_as_in_store=0 restored=2"))
    #expect(await first.steps("s") == 1)
    let answer = await first.step("s")
    #expect(answer.0 == 200)
    // To the bit what one process would have answered.
    let whole = await first.ask("POST", "/predict", #"{"inputs":[360,361]}"#)
    #expect(answer.1.hasPrefix(String(whole.1.dropLast(2))))
    await first.end()
    // The next one takes nothing over, and has the store's.
    let second = try process(try fileStore())
    lines.lines.withLock { $0 = [] }
    #expect(second.files.read(into: try takeover(second)))
    second.files.claim(for: try takeover(second))
    #expect(lines.lines.withLock { $0 } == [])
    #expect(try head.isInStore)
    #expect(await second.steps("s") == 2)
    #expect(await second.steps("t") == 1)
    await second.end()
    // Without the store, clients are told that they are gone.
    let third = try process()
    third.files.read(into: third.service.sessionTransfer)
    third.files.claim(for: third.service.sessionTransfer)
    #expect(await third.steps("s") == 410)
    #expect(logged("a session_store has taken them over"))
  }

  /// A kill before the file is marked: taken over again, with the same versions, and nothing is lost that has moved meanwhile.
  @Test func aKillBeforeTheMark() async throws {
    try await leave("s", "t", "u")
    let killed = try process(try fileStore())
    #expect(killed.files.read(into: try takeover(killed)))
    await killed.end()
    #expect(try !head.isSpent)
    let again = try process(try fileStore())
    #expect(again.files.read(into: try takeover(again)))
    #expect(logged("kept_as_in_store=0 restored=3"))
    // As where another one goes on with the store's while the file is not marked yet.
    #expect(await again.step("s").0 == 200)
    #expect(await again.ask("DELETE", "/models/co2/sessions/u").0 / 100 == 2)
    await again.end()
    let last = try process(try fileStore())
    #expect(last.files.read(into: try takeover(last)))
    last.files.claim(for: try takeover(last))
    #expect(logged("found=3 kept_as_in_store=2 restored=1"))
    #expect(await last.steps("s") == 2)
    #expect(await last.steps("t") == 1)
    #expect(await last.steps("u") == 410)
    await last.end()
  }

  /// Where both have a session of an id, the store's stays.
  @Test func idsThatTheStoreHas() async throws {
    let before = try process(try fileStore())
    await before.begin("s")
    #expect(await before.step("s").0 == 200)
    await before.end()
    try await leave("s", "t")
    let process = try process(try fileStore())
    #expect(process.files.read(into: try takeover(process)))
    process.files.claim(for: try takeover(process))
    #expect(logged("found=2 kept_as_in_store=1 restored=1"))
    #expect(await process.steps("s") == 2)
    #expect(await process.steps("t") == 1)
    await process.end()
  }

  /// Of a damaged file nothing is taken over, and it is kept aside.
  @Test func aDamagedFile() async throws {
    try await leave("s")
    var bytes = Array(try Data(contentsOf: URL(filePath: path)))
    bytes[bytes.count - 1] ^= 1
    try Data(bytes).write(to: URL(filePath: path))
    let process = try process(try fileStore())
    #expect(process.files.read(into: try takeover(process)))
    process.files.claim(for: try takeover(process))
    #expect(await process.steps("s") == 404)
    #expect(try head.isSpent)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(names.contains { $0.hasPrefix("sessions.damaged-") })
    await process.end()
  }

  /// What a killed process had without a store is lost, with one behind it too.
  @Test func afterAnUncleanEndWithoutAStore() async throws {
    try await leave("s")
    let killed = try process()
    killed.files.read(into: killed.service.sessionTransfer)
    killed.files.claim(for: killed.service.sessionTransfer)
    for _ in 0..<2 {
      let process = try process(try fileStore())
      #expect(process.files.read(into: try takeover(process)))
      process.files.claim(for: try takeover(process))
      #expect(await process.steps("s") == 404)
      #expect(await process.step("s").0 == 410)
      await process.end()
    }
  }

  // MARK: - A store that is away

  @Test(arguments: [false, true])
  func aStoreThatIsAway(isSilent: Bool) async throws {
    try await leave("s")
    let store = AwayStore(try fileStore(), isAway: true, isSilent: isSilent)
    let process = try process(store)
    let takeover = try takeover(process)
    process.service.setTakingOver(true)
    let isDone = Atomic(false)
    let files = process.files
    DispatchQueue(label: "takeover").async {
      if takeover.awaitStore(), files.read(into: takeover) {
        files.claim(for: takeover)
        process.service.setTakingOver(false)
      }
      isDone.store(true, ordering: .releasing)
    }
    if isSilent { try await eventually { store.refusals.load(ordering: .relaxed) >= 2 } }
    let refused = await process.step("s")
    #expect(refused.0 == 503 && refused.1.contains("session_file"))
    #expect(await process.steps("s") == 503)
    #expect(await process.ask("POST", "/predict", #"{"inputs":[360]}"#).0 == 200)
    #expect(try !head.isSpent)
    store.isAway.withLock { $0 = false }
    try await eventually { isDone.load(ordering: .acquiring) }
    #expect(await process.step("s").0 == 200)
    #expect(try head.isInStore)
    await process.end()
  }

  /// A process that ends while its store is away leaves the file to the next one.
  @Test(arguments: [false, true])
  func anEndWhileTheStoreIsAway(isSilent: Bool) async throws {
    try await leave("s")
    let store = AwayStore(try fileStore(), isAway: true, isSilent: isSilent)
    let process = try process(store)
    let takeover = try takeover(process)
    let files = process.files
    let isWhole = Mutex<Bool?>(nil)
    DispatchQueue(label: "takeover").async {
      let result = takeover.awaitStore() && files.read(into: takeover)
      isWhole.withLock { $0 = result }
    }
    takeover.stop()
    try await eventually { isWhole.withLock { $0 } == false }
    await process.end()
    #expect(try !head.isSpent)
    let next = try self.process(try fileStore())
    #expect(next.files.read(into: try self.takeover(next)))
    #expect(await next.steps("s") == 1)
    await next.end()
  }

  // MARK: - A server

  /// Both settings: taken over at the start, and nothing is written to the file at the end.
  @Test func aServer() async throws {
    try await leave("s")
    let server = try ModelServer(
      graphs: [try BundledModel.graph()],
      settings: try Settings(commandLine: [
        .port: "0", .loops: "1", .sessionFile: path, .sessionStore: "file:\(folder.path)/store.db",
      ]), logger: logger)
    server.start()
    let target = try #require(ProbeTarget(url: server.url + "/models/co2"))
    #expect(try Probe(target: target, timeoutSeconds: 180).status() == 200)
    let path = path
    try await eventually { (try? self.head.isInStore) ?? false }
    let before = try Data(contentsOf: URL(filePath: path))
    await withCheckedContinuation { continuation in
      server.drain { isWell in
        #expect(isWell)
        continuation.resume()
      }
    }
    #expect(try Data(contentsOf: URL(filePath: path)) == before)
    let store = try fileStore()
    let process = try process(store)
    #expect(await process.steps("s") == 1)
    await process.end()
  }
}
