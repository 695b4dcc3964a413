import API
import Dispatch
import FoundationEssentials
import Glibc
import HTTPCore
import Inference
import Logging
import Scheduling
import Testing

@testable import carousel

/// Sessions from one process to the next, by way of a file.
@Suite final class SessionFileHandlingTests {
  private let folder: String
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  private var path: String { "\(folder)/sessions" }

  init() throws {
    folder = "\(FileManager.default.temporaryDirectory.path)/carousel-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private var files: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
  }

  private func service() throws -> Service {
    Service(engines: [("co2", Engine(graph: try BundledModel.graph()))])
  }

  private func bytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: path)))
  }

  private func write(_ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(filePath: path)) }

  @Test func noFileIsFine() throws {
    try service().importSessions(from: path, logger)
    #expect(files == [])
  }

  @Test func exportedAndImported() throws {
    let service = try service()
    service.exportSessions(to: path, logger)
    #expect(files == ["sessions"])
    var status = stat()
    // SAFETY: the path is a zero-terminated string for the length of the call, which writes one `stat`.
    try #require(unsafe stat(path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
    // Over what is there.
    service.exportSessions(to: path, logger)
    service.importSessions(from: path, logger)
    // Once requests are answered, it is out of date.
    #expect(files == [])
  }

  @Test func aDamagedFileIsKeptAside() throws {
    try service().exportSessions(to: path, logger)
    var damaged = try bytes(path)
    damaged[25] ^= 1
    for content in [damaged, [], Array("something else".utf8)] {
      try write(content)
      try service().importSessions(from: path, logger)
      #expect(files == ["sessions.damaged"])
      #expect(try bytes("\(path).damaged") == content)
    }
  }

  /// Nothing that is wrong keeps the server from its work, nor harms what is there: it is set aside.
  @Test func whatIsNoFile() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    try service().importSessions(from: path, logger)
    try service().exportSessions(to: path, logger)
    #expect(files == ["sessions", "sessions.unread"])
    try service().exportSessions(to: "\(folder)/none/sessions", logger)
    #expect(files == ["sessions", "sessions.unread"])
  }

  // MARK: - The server

  private func makeServer(_ settings: [Setting: String] = [:]) throws -> ModelServer {
    let settings = settings.merging([.port: "0", .loops: "1", .sessionFile: path]) { first, _ in
      first
    }
    return try ModelServer(
      graphs: [try BundledModel.graph()], settings: try Settings(commandLine: settings),
      logger: logger)
  }

  private func drain(_ server: ModelServer) {
    let drained = DispatchSemaphore(value: 0)
    server.drain { drained.signal() }
    drained.wait()
  }

  private func status(of server: ModelServer) throws -> Int {
    let target = try #require(ProbeTarget(url: server.url + "/models/co2/sessions/s"))
    return try Probe(target: target, timeoutSeconds: 180).status()
  }

  /// The answer to a prediction.
  private func ask(_ service: Service, _ body: String) async -> String {
    await withCheckedContinuation { continuation in
      service.handle(
        HTTPExchange(
          request: HTTPRequest(method: "POST", path: "/predict", body: Array(body.utf8)),
          deliver: { continuation.resume(returning: String(decoding: $0.body, as: UTF8.self)) }))
    }
  }

  @Test func aSessionOutlivesServers() async throws {
    let before = try service()
    #expect(
      await ask(before, #"{"inputs":[360,361],"session":{"id":"s","begin":true}}"#)
        .contains(#""session":{"id":"s","steps":2}"#))
    before.exportSessions(to: path, logger)
    for _ in 0..<2 {
      let server = try makeServer()
      server.start()
      #expect(files == [])
      #expect(try status(of: server) == 200)
      drain(server)
      #expect(files == ["sessions"])
    }
    let after = try service()
    after.importSessions(from: path, logger)
    let whole = await ask(after, #"{"inputs":[360,361,362]}"#)
    let found = await ask(after, #"{"inputs":[362],"session":"s"}"#)
    #expect(whole.hasPrefix(#"{"model":"co2","outputs":["#))
    #expect(found == whole.dropLast(2) + #","session":{"id":"s","steps":3}}"# + "\n")
  }

  @Test func aDamagedFileKeepsNoServerFromItsWork() throws {
    try write(Array("something else".utf8))
    let server = try makeServer()
    server.start()
    #expect(try status(of: server) == 404)
    drain(server)
    #expect(files == ["sessions", "sessions.damaged"])
  }

  @Test func withoutASettingThereIsNoFile() throws {
    let server = try makeServer([.sessionFile: ""])
    server.start()
    drain(server)
    #expect(files == [])
  }
}
