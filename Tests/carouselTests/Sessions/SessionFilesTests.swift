import API
import Dispatch
import FoundationEssentials
import Glibc
import HTTPCore
import Inference
import Logging
import Scheduling
import Synchronization
import Testing

@testable import Serving
@testable import carousel

/// Sessions from one process to the next, by way of files.
@Suite final class SessionFilesTests {
  private let folder: String
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  private var path: String { "\(folder)/sessions" }
  private var second: String { "\(folder)/other/sessions" }

  init() throws {
    folder = "\(FileManager.default.temporaryDirectory.path)/carousel-\(UUID().uuidString)"
    try FileManager.default.createDirectory(
      atPath: "\(folder)/other", withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// What stands in the folder, without the generations in names.
  private var files: [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
      .filter { $0 != "other" }.map { String($0.prefix { $0 != "-" }) }
  }

  private func bytes(_ path: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(filePath: path)))
  }

  private func write(_ bytes: [UInt8], to path: String) throws {
    try Data(bytes).write(to: URL(filePath: path))
  }

  private func head(_ path: String) throws -> SessionFileHead {
    try SessionFileHead(bytes: Array(try bytes(path).prefix(SessionFileHead.byteCount)))
  }

  /// A process: its service, and its session files.
  private struct Process {
    let service: Service
    let files: SessionFiles

    init(_ paths: [String], _ logger: Logger, begins: Bool = true) throws {
      service = Service(engines: [("co2", Engine(graph: try BundledModel.graph()))])
      files = try SessionFiles(paths: paths, logger: logger)
      files.read(into: service.sessionTransfer)
      if begins { files.claim(for: service.sessionTransfer) }
    }

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

    /// The steps of a session, or the status that says why there are none.
    func steps(_ id: String, advance: Bool = false) async -> Int {
      if advance {
        #expect(
          await ask("POST", "/predict", #"{"inputs":[361],"session":"\#(id)"}"#).0 == 200)
      }
      let (status, body) = await ask("GET", "/models/co2/sessions/\(id)")
      guard status == 200, let start = body.firstRange(of: #""steps":"#)?.upperBound else {
        return status
      }
      return Int(body[start...].prefix { $0.isNumber }) ?? -1
    }
  }

  private func process(_ paths: String..., begins: Bool = true) throws -> Process {
    try Process(paths.isEmpty ? [path] : paths, logger, begins: begins)
  }

  // MARK: - One after another

  @Test func fromProcessToProcess() async throws {
    let first = try process()
    #expect(files == ["sessions"])
    #expect(try head(path).isSpent)
    await first.begin("s", "t")
    #expect(first.files.write(first.service.sessionTransfer))
    #expect(try !head(path).isSpent && head(path).count == 2)
    var status = stat()
    // SAFETY: the path is a zero-terminated string for the length of the call, which writes one `stat`.
    try #require(unsafe stat(path, &status) == 0)
    #expect(status.st_mode & 0o777 == 0o600)
    for steps in 1...3 {
      let next = try process()
      // Once requests are answered, it is out of date.
      #expect(try head(path).isSpent)
      #expect(await next.steps("s") == steps)
      #expect(await next.steps("s", advance: true) == steps + 1)
      #expect(next.files.write(next.service.sessionTransfer))
      #expect(files == ["sessions"])
    }
  }

  /// Until it is claimed a file is what it was: who ends before that leaves it to the next.
  @Test func whoIsStoppedAtTheStartChangesNothing() async throws {
    let first = try process()
    await first.begin("s")
    #expect(first.files.write(first.service.sessionTransfer))
    let before = try bytes(path)
    do {
      let second = try process(begins: false)
      #expect(await second.steps("s") == 1)
      #expect(try bytes(path) == before)
      #expect(second.files.write(second.service.sessionTransfer))
      #expect(try bytes(path) == before)
    }
    #expect(await (try process()).steps("s") == 1)
  }

  /// One that was killed: what it had read has moved, and what it begun is unknown.
  @Test func anUncleanEnd() async throws {
    let first = try process()
    await first.begin("s")
    #expect(first.files.write(first.service.sessionTransfer))
    let killed = try process()
    await killed.begin("new")
    for _ in 0..<2 {
      let next = try process()
      #expect(await next.steps("s") == 410)
      #expect(await next.steps("new") == 404)
    }
    let clean = try process()
    await clean.begin("s")
    #expect(clean.files.write(clean.service.sessionTransfer))
    #expect(await (try process()).steps("s") == 1)
  }

  /// What a killed process had is told of by the next one, and by those after it, however these end.
  @Test func anUncleanEndIsRememberedByAll() async throws {
    let first = try process()
    await first.begin("s", "t")
    #expect(first.files.write(first.service.sessionTransfer))
    _ = try process()
    for round in 0..<3 {
      let next = try process()
      for id in ["s", "t"] { #expect(await next.steps(id) == 410) }
      #expect(await next.steps("u") == 404)
      await next.begin("new-\(round)")
      // Of three, the second is killed too.
      if round != 1 { #expect(next.files.write(next.service.sessionTransfer)) }
    }
    let last = try process()
    #expect(await last.steps("new-0") == 410)
    #expect(await last.steps("new-1") == 404)
    #expect(await last.steps("new-2") == 1)
    await last.begin("s")
    #expect(last.files.write(last.service.sessionTransfer))
    let end = try process()
    #expect(await end.steps("s") == 1)
    #expect(await end.steps("t") == 410)
  }

  /// The older one ends after the newer one has begun, and the newer one is killed.
  @Test func anOlderProcessNeverWins() async throws {
    let older = try process()
    await older.begin("s", "old")
    let newer = try process()
    await newer.begin("s")
    let before = try bytes(path)
    #expect(!older.files.write(older.service.sessionTransfer))
    #expect(try bytes(path) == before)
    #expect(files == ["sessions", "sessions.superseded"])
    #expect(try head("\(path).superseded").count == 2)
    let next = try process()
    #expect(await next.steps("s") == 404)
    // And where it has nothing to lose, that is no failure.
    let third = try process()
    #expect(next.files.write(next.service.sessionTransfer))
    #expect(third.files.write(third.service.sessionTransfer))
  }

  // MARK: - What can't be written, or read

  @Test func aSecondPlace() async throws {
    let first = try process(path, second)
    await first.begin("s")
    // Nothing can be renamed over a folder that is not empty.
    try FileManager.default.removeItem(atPath: path)
    try FileManager.default.createDirectory(
      atPath: "\(path)/x", withIntermediateDirectories: true)
    #expect(!first.files.write(first.service.sessionTransfer))
    #expect(try !head(second).isSpent)
    try FileManager.default.removeItem(atPath: path)
    let next = try process(path, second)
    #expect(await next.steps("s", advance: true) == 2)
    #expect(try head(second).isSpent)
    #expect(next.files.write(next.service.sessionTransfer))
    // The first place has the later one, whatever the second says.
    #expect(try head(path).generation == head(second).generation)
    let last = try process(path, second)
    #expect(await last.steps("s") == 2)
  }

  /// A file that comes back with an old volume, while another place has seen later processes.
  @Test func anOlderFileNeverWins() async throws {
    let first = try process(path, second)
    await first.begin("s")
    #expect(first.files.write(first.service.sessionTransfer))
    let old = try bytes(path)
    try FileManager.default.removeItem(atPath: path)
    let without = try process("\(folder)/none/sessions", second)
    await without.begin("t")
    #expect(!without.files.write(without.service.sessionTransfer))
    try write(old, to: path)
    let next = try process(path, second)
    #expect(await next.steps("s") == 410)
    #expect(await next.steps("t") == 1)
  }

  /// Where no place can be written, that is told before anybody begins a session.
  @Test func nowhere() {
    let missing = "\(folder)/none/sessions"
    #expect(throws: CarouselError.self) { try self.process(missing) }
    #expect(throws: CarouselError.self) { try self.process(missing, "\(self.folder)/no/sessions") }
    #expect(throws: Never.self) { try self.process(missing, self.path) }
    #expect(throws: Never.self) { try self.process(self.second, missing) }
    #expect(!FileManager.default.fileExists(atPath: "\(folder)/none"))
  }

  @Test func whatIsDamagedIsKeptAside() async throws {
    let first = try process()
    await first.begin("s")
    #expect(first.files.write(first.service.sessionTransfer))
    var damaged = try bytes(path)
    damaged[damaged.count - 40] ^= 1
    let other = Array("carousel sessions 1\n".utf8) + damaged.dropFirst(20)
    for (content, name) in [
      (damaged, "damaged"), ([], "damaged"), (Array(damaged.dropLast(50)), "damaged"),
      (Array("carousel sess".utf8), "damaged"), (Array("c".utf8), "damaged"),
      (Array("cArOuSeL sessions 2".utf8), "damaged"), (Array(repeating: 0, count: 50), "damaged"),
      (Array(repeating: 0, count: 1 << 21), "damaged"), (other, "refused"),
    ] {
      for file in try FileManager.default.contentsOfDirectory(atPath: folder) where file != "other"
      {
        try FileManager.default.removeItem(atPath: "\(folder)/\(file)")
      }
      try write(content, to: path)
      let process = try process()
      #expect(files == ["sessions", "sessions.\(name)"])
      #expect(await process.steps("s") == 404)
      let kept = try FileManager.default.contentsOfDirectory(atPath: folder)
        .first { $0.contains(name) }
      #expect(try bytes("\(folder)/\(try #require(kept))") == content)
      #expect(process.files.write(process.service.sessionTransfer))
    }
  }

  /// Two that are damaged are kept both.
  @Test func whatIsKeptAsideIsNotOverwritten() throws {
    for _ in 0..<2 {
      try write([], to: path)
      _ = try process()
      // Generations are milliseconds.
      usleep(2000)
    }
    #expect(files == ["sessions", "sessions.damaged", "sessions.damaged"])
  }

  // MARK: - What is not ours

  enum Other: CaseIterable {
    case folder, emptyFolder, pipe, socket, folderLink, pipeLink, deviceLink, loop
    case text, database, almost, zerosBeforeData
  }

  private func make(_ other: Other, at path: String) throws {
    switch other {
    case .folder:
      try FileManager.default.createDirectory(
        atPath: "\(path)/x", withIntermediateDirectories: true)
    case .emptyFolder:
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    case .pipe: try #require(mkfifo(path, 0o600) == 0)
    case .socket: try #require(mknod(path, S_IFSOCK | 0o600, 0) == 0)
    case .folderLink: try #require(symlink("/", path) == 0)
    case .pipeLink:
      try #require(mkfifo("\(folder)/pipe", 0o600) == 0)
      try #require(symlink("\(folder)/pipe", path) == 0)
    case .deviceLink: try #require(symlink("/dev/zero", path) == 0)
    case .loop: try #require(symlink(path, path) == 0)
    case .text: try write(Array("something else".utf8), to: path)
    case .database:
      try write(Array("SQLite format 3\0".utf8) + Array(repeating: 0, count: 5000), to: path)
    // Five of the eighteen bytes of our name are others.
    case .almost: try write(Array("cAROUSel sessions 2".utf8), to: path)
    case .zerosBeforeData:
      try write(Array(repeating: 0, count: 100) + [1], to: path)
    }
  }

  /// What everything in the folder is, by name: its kind, its number on the disk, and its bytes or where it leads.
  private func state() throws -> [String: String] {
    var found: [String: String] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder) {
      let path = "\(folder)/\(name)"
      var status = stat()
      // SAFETY: the path is a zero-terminated string for the length of the call, which writes one `stat`.
      try #require(unsafe lstat(path, &status) == 0)
      let content =
        switch status.st_mode & S_IFMT {
        case S_IFREG: "\(try bytes(path))"
        case S_IFLNK: try FileManager.default.destinationOfSymbolicLink(atPath: path)
        default: ""
        }
      found[name] = "\(status.st_mode) \(status.st_ino) \(content)"
    }
    return found
  }

  /// The start waits for nobody and touches nothing of it: sessions are kept beside it, from process to process.
  @Test(arguments: Other.allCases)
  func whatIsNotOursStaysAsItIs(other: Other) async throws {
    try make(other, at: path)
    let state = try state()
    for steps in 1...3 {
      let process = try process()
      if steps == 1 { await process.begin("s") }
      #expect(await process.steps("s", advance: steps > 1) == steps)
      #expect(process.files.write(process.service.sessionTransfer))
      #expect(try head("\(path).sessions").count == 1)
      let after = try self.state()
      for (name, was) in state { #expect(after[name] == was) }
      #expect(Set(after.keys).subtracting(state.keys) == ["sessions.sessions"])
    }
  }

  /// Where something else stands there too, the start is refused.
  @Test(arguments: Other.allCases)
  func noPlaceBesideWhatIsNotOurs(other: Other) throws {
    try make(.text, at: path)
    try make(other, at: "\(path).sessions")
    let state = try state()
    for paths in [[path], [path, second]] {
      #expect(throws: CarouselError.self) { try Process(paths, self.logger) }
      #expect(throws: CarouselError.self) {
        try self.makeServer([.sessionFile: paths.joined(separator: ":")])
      }
      #expect(try self.state() == state)
    }
  }

  /// So it is by what stands by the name that a file has while it is written.
  @Test func aPartialFileThatIsNotOurs() throws {
    try make(.text, at: "\(path).partial")
    let state = try state()
    #expect(throws: CarouselError.sessionPlace(path: "\(path).partial", Self.text)) {
      try self.process()
    }
    #expect(try self.state() == state)
    // One that a process left that was killed is replaced.
    try write(SessionFileHead.placeholder, to: "\(path).partial")
    _ = try process()
    #expect(files == ["sessions"])
  }

  private static let text = SessionFileProblem.foreign(Array("something else".utf8))

  /// What comes to stand in its place while the process runs is not written over either.
  @Test(arguments: Other.allCases)
  func whatComesLaterStaysAsItIs(other: Other) async throws {
    for paths in [[path], [path, second]] {
      let process = try Process(paths, logger)
      await process.begin("s")
      try FileManager.default.removeItem(atPath: path)
      try make(other, at: path)
      let state = try state()
      #expect(!process.files.write(process.service.sessionTransfer))
      let kept = paths.count == 1 ? "\(path).kept" : second
      #expect(try head(kept).count == 1)
      let after = try self.state()
      for (name, was) in state where "\(folder)/\(name)" != kept { #expect(after[name] == was) }
      for name in state.keys { try? FileManager.default.removeItem(atPath: "\(folder)/\(name)") }
      try FileManager.default.createDirectory(
        atPath: "\(folder)/other", withIntermediateDirectories: true)
    }
  }

  @Test(arguments: [
    (
      SessionFileProblem.notRegular("a folder"),
      "found a folder, expected a file of sessions or none yet"
    ),
    (
      text,
      "found a file that begins with \"something else\", expected a file of sessions or none yet"
    ),
    (
      .foreign([0, 0x1F, 0xFF]),
      "found a file that begins with the bytes 00 1f ff, expected a file of sessions or none yet"
    ),
    (.system("open", code: EACCES), "open: Permission denied"),
  ])
  func refusals(problem: SessionFileProblem, words: String) {
    #expect("\(CarouselError.sessionPlace(path: "/a", problem))" == "session_file: /a: \(words)")
  }

  /// A device is neither read nor written over.
  @Test func aDevice() throws {
    for paths in [["/dev/null"], ["/dev/null", path], [path, "/dev/zero"]] {
      #expect(throws: CarouselError.self) { try Process(paths, self.logger) }
    }
    #expect(files == [])
  }

  @Test func aLink() async throws {
    #expect(symlink("other/file", path) == 0)
    for _ in 0..<2 {
      let process = try process()
      if await process.steps("s") == 404 { await process.begin("s") }
      #expect(process.files.write(process.service.sessionTransfer))
      // It leads where it led.
      #expect(files == ["sessions"])
      #expect(try head("\(folder)/other/file").count == 1)
    }
  }

  /// Two places in one folder, or one place twice, wait for no lock of their own.
  @Test func oneFolderTwice() async throws {
    let first = try process(path, "\(path)2")
    await first.begin("s")
    #expect(first.files.write(first.service.sessionTransfer))
    #expect(await (try process(path, "\(path)2")).steps("s") == 1)
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

  private func drain(_ server: ModelServer) -> Bool {
    let drained = DispatchSemaphore(value: 0)
    let isWell = Mutex(false)
    server.drain { found in
      isWell.withLock { $0 = found }
      drained.signal()
    }
    drained.wait()
    return isWell.withLock { $0 }
  }

  private func status(of server: ModelServer) throws -> Int {
    let target = try #require(ProbeTarget(url: server.url + "/models/co2/sessions/s"))
    return try Probe(target: target, timeoutSeconds: 180).status()
  }

  @Test func aSessionOutlivesServers() async throws {
    let before = try process()
    await before.begin("s")
    #expect(before.files.write(before.service.sessionTransfer))
    for _ in 0..<2 {
      let server = try makeServer()
      #expect(server.start())
      #expect(try head(path).isSpent)
      #expect(try status(of: server) == 200)
      #expect(drain(server))
      #expect(try !head(path).isSpent)
    }
    #expect(await (try process()).steps("s") == 1)
  }

  /// SIGTERM before it began: nothing is written over what is there.
  @Test func aStopBeforeTheStart() async throws {
    let before = try process()
    await before.begin("s")
    #expect(before.files.write(before.service.sessionTransfer))
    let content = try bytes(path)
    let server = try makeServer()
    #expect(drain(server))
    #expect(!server.start())
    #expect(try bytes(path) == content)
  }

  @Test func aStopThatCannotWrite() throws {
    let server = try makeServer([.sessionFile: second])
    #expect(server.start())
    try FileManager.default.removeItem(atPath: "\(folder)/other")
    #expect(!drain(server))
  }

  @Test func aDamagedFileKeepsNoServerFromItsWork() throws {
    try write(Array("carousel sessions 2\n".utf8), to: path)
    let server = try makeServer()
    #expect(server.start())
    #expect(try status(of: server) == 404)
    #expect(drain(server))
    #expect(files == ["sessions", "sessions.damaged"])
  }

  @Test func withoutASettingThereIsNoFile() throws {
    let server = try makeServer([.sessionFile: ""])
    #expect(server.start())
    #expect(drain(server))
    #expect(files == [])
  }
}
