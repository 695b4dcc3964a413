import Glibc
import Scheduling
import Synchronization
import TestSupport
import Testing

@testable import SessionStores

/// What somebody does to a file of sessions while it is open.
@Suite struct StoreConnectionsTests {
  private func connections(_ room: StoreRoom) throws -> StoreConnections {
    let connections = StoreConnections(
      path: room.path, durability: .answer, limits: FileSessionLimits(), codec: StateCodec(nil),
      served: [("air", "m")],
      report: { report in room.reports.withLock { $0.append(report) } })
    _ = try connections.open(patience: .zero)
    return connections
  }

  /// Moves session `s` from `version` on.
  private func step(
    _ connections: StoreConnections, from version: Int
  ) throws -> SessionStoreProblem? {
    try connections.withWriter { database throws(SQLiteError) in
      let move = StoreRoom.move("s", from: version, steps: version + 1)
      return try database.make([[move]], now: 1_000_000, mayEnd: { _, _ in true })[0]
    }
  }

  /// What the next process finds, were this one killed now.
  private func afterKill(_ room: StoreRoom) async throws -> String {
    let copy = StoreRoom()
    for name in ["", "-wal"] where access(room.path + name, F_OK) == 0 {
      try copyFile(room.path + name, copy.path + name)
    }
    let store = try copy.store()
    defer { store.close { _ in } }
    return await store.tell("s")
  }

  private func copyFile(_ from: String, _ to: String) throws {
    let (source, target) = (try #require(fopen(from, "r")), try #require(fopen(to, "w")))
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&chunk, 1, chunk.count, source), count > 0 {
      #expect(fwrite(chunk, 1, count, target) == count)
    }
    fclose(source)
    fclose(target)
  }

  private func write(_ text: String, to path: String) throws {
    let file = try #require(fopen(path, "w"))
    fputs(text, file)
    fclose(file)
  }

  private func problem(_ body: () throws -> Void) throws -> String {
    let error = #expect(throws: SQLiteError.self) { try body() }
    return try #require(error).message
  }

  /// Nobody can cut what is no file.
  @Test func theIndexOfTheLogIsInMemory() throws {
    let room = StoreRoom()
    let connections = try connections(room)
    #expect(try step(connections, from: 0) == nil)
    #expect(access(room.path + "-shm", F_OK) != 0)
    connections.close()
  }

  /// The process still has it, so that all of it goes into the database before anything is promised.
  @Test(arguments: ["removed", "replaced", "renamed"])
  func aLogThatIsGone(how: String) async throws {
    let room = StoreRoom()
    let connections = try connections(room)
    #expect(try step(connections, from: 0) == nil)
    let log = room.path + "-wal"
    if how == "renamed" {
      #expect(rename(log, log + ".old") == 0)
    } else {
      #expect(unlink(log) == 0)
    }
    if how == "replaced" { try write("something else", to: log) }
    #expect(try step(connections, from: 1) == nil)
    #expect(try await afterKill(room) == "2/2")
    #expect(try step(connections, from: 2) == nil)
    #expect(try await afterKill(room) == "3/3")
    #expect(room.reports.withLock { $0.count } == 1)
    #expect(room.reports.withLock { $0[0].contains("nothing is lost") })
    connections.close()
    let store = try room.store()
    #expect(await store.tell("s") == "3/3")
    await store.end()
  }

  /// Also where nobody asks for anything.
  @Test func aLogThatIsGoneIsNoticedByItself() async throws {
    let room = StoreRoom()
    let store = try room.store()
    #expect(await store.make(StoreRoom.move("s", from: 0, steps: 1)) == nil)
    #expect(unlink(room.path + "-wal") == 0)
    try await eventually { room.reports.withLock { !$0.isEmpty } }
    #expect(try await afterKill(room) == "1/1")
    await store.end()
  }

  /// What was in it alone is lost, which is told, and no more is promised.
  @Test(arguments: ["cut", "overwritten"])
  func aLogThatHasLostContent(how: String) async throws {
    let room = StoreRoom()
    let connections = try connections(room)
    #expect(try step(connections, from: 0) == nil)
    try connections.copyLog()
    #expect(try step(connections, from: 1) == nil)
    try damageLog(room, how)
    for _ in 0..<2 {
      let problem = try problem { _ = try step(connections, from: 2) }
      #expect(problem.contains("was cut or overwritten before") && problem.contains("restart"))
    }
    #expect(throws: SQLiteError.self) { try connections.copyLog() }
    #expect(access(room.path + "-wal.damaged", F_OK) == 0)
    connections.close()
    let store = try room.store()
    #expect(await store.tell("s") == "1/1")
    await store.end()
  }

  /// Where all of it is in the database, nothing is lost.
  @Test(arguments: ["cut", "overwritten"])
  func aLogThatHasLostWhatIsCopied(how: String) async throws {
    let room = StoreRoom()
    let connections = try connections(room)
    #expect(try step(connections, from: 0) == nil)
    try connections.copyLog()
    try damageLog(room, how)
    #expect(try step(connections, from: 1) == nil)
    #expect(try await afterKill(room) == "2/2")
    #expect(room.reports.withLock { $0.count } == 1)
    connections.close()
  }

  private func damageLog(_ room: StoreRoom, _ how: String) throws {
    guard how == "overwritten" else { return #expect(truncate(room.path + "-wal", 0) == 0) }
    let file = try #require(fopen(room.path + "-wal", "r+"))
    fputs(String(repeating: "x", count: 10_000), file)
    fclose(file)
  }

  @Test func aDatabaseThatIsCut() async throws {
    let room = StoreRoom()
    let connections = try connections(room)
    #expect(try step(connections, from: 0) == nil)
    #expect(truncate(room.path, 4096) == 0)
    for _ in 0..<2 {
      #expect(try problem { _ = try step(connections, from: 1) }.contains("was cut to 4096 of"))
    }
    connections.close()
  }

  /// It goes on when its own file is back, and with no other one.
  @Test func aDatabaseThatIsReplaced() async throws {
    let room = StoreRoom()
    let connections = try connections(room)
    #expect(try step(connections, from: 0) == nil)
    #expect(rename(room.path, room.path + ".away") == 0)
    #expect(try problem { _ = try step(connections, from: 1) }.contains("moved or removed"))
    try copyFile(room.path + ".away", room.path)
    #expect(try problem { _ = try step(connections, from: 1) }.contains("another file"))
    #expect(rename(room.path + ".away", room.path) == 0)
    #expect(try step(connections, from: 1) == nil)
    #expect(try await afterKill(room) == "2/2")
    connections.close()
  }
}
