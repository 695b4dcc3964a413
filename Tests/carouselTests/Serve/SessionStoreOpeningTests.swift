import Glibc
import Logging
import SessionStores
import Testing

@testable import carousel

/// Where a server keeps its sessions, by its settings.
@Suite struct SessionStoreOpeningTests {
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  private func open(_ given: [Setting: String]) throws -> FileSessionStore? {
    try openSessionStore(by: try Settings(commandLine: given), for: [], logger: logger)
  }

  @Test func memoryIsNoStore() throws {
    #expect(try open([:]) == nil)
    #expect(try open([.sessionFile: "/nowhere/s"]) == nil)
  }

  @Test func notBesideASessionFile() {
    #expect(
      throws: CarouselError.badSetting(
        name: "--session-file", source: .commandLine, found: "/nowhere/s",
        expected: "none beside session_store, which keeps the sessions itself")
    ) {
      try open([.sessionStore: "file:/nowhere/t", .sessionFile: "/nowhere/s"])
    }
  }

  @Test func whereNoFileCanBe() {
    #expect {
      try open([.sessionStore: "file:/nowhere/t"])
    } throws: { error in
      "\(error)" == "session_store: /nowhere/t: No such file or directory"
    }
  }
}
