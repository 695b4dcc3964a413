import Glibc
import Logging
import Scheduling
import SessionStores
import Testing

@testable import carousel

/// Where a server keeps its sessions, by its settings.
@Suite struct SessionStoreOpeningTests {
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  private func open(_ given: [Setting: String]) throws -> (any SessionStore)? {
    try openSessionStore(by: try Settings(commandLine: given), for: [], logger: logger)
  }

  @Test func memoryIsNoStore() throws {
    #expect(try open([:]) == nil)
    #expect(try open([.sessionFile: "/nowhere/s"]) == nil)
  }

  @Test func whereNoFileCanBe() {
    #expect {
      try open([.sessionStore: "file:/nowhere/t"])
    } throws: { error in
      "\(error)" == "session_store: /nowhere/t: No such file or directory"
    }
  }

  /// What bounds a file bounds no Redis: nothing that is set is passed over.
  @Test func noBoundOfAFileForARedis() {
    #expect(
      throws: CarouselError.badSetting(
        name: "--max-session-store-bytes", source: .commandLine, found: "1048576",
        expected: "none beside a session_store in Redis, which has a bound of its own (maxmemory)")
    ) {
      try open([.sessionStore: "redis://127.0.0.1:1", .maxSessionStoreBytes: "1 MiB"])
    }
  }

  /// Replicas are waited for where there may be some, and where an answer waits at all.
  @Test(
    arguments: [
      ([.sessionStore: "memory"], "0 unless session_store is a Redis: nothing else has replicas"),
      (
        [.sessionStore: "file:/nowhere/t"],
        "0 unless session_store is a Redis: nothing else has replicas"
      ),
      (
        [.sessionStore: "redis://127.0.0.1:1", .sessionDurability: "behind"],
        "0 beside session_durability behind, which waits for nothing"
      ),
    ] as [([Setting: String], String)])
  func replicasThatNothingWaitsFor(settings: [Setting: String], expected: String) {
    #expect(
      throws: CarouselError.badSetting(
        name: "--session-store-replicas", source: .commandLine, found: "2", expected: expected)
    ) {
      try open(settings.merging([.sessionStoreReplicas: "2"]) { first, _ in first })
    }
  }

  /// A server starts without its Redis, and serves all that needs no session.
  @Test func aRedisThatIsNotThereYet() throws {
    let store = try #require(try open([.sessionStore: "redis://127.0.0.1:1"]))
    #expect(store.isShared)
    guard case .failing = store.problem else {
      Issue.record("\(String(describing: store.problem))")
      return
    }
    store.close { _ in }
  }

  @Test(arguments: [
    ("redis://u:p%40@h:1/2", "redis://u:***@h:1/2"), ("redis://:p@h", "redis://:***@h:6379/0"),
    ("redis://u:p@h:x", "redis://***@h:x"), ("file:a@b", "file:a@b"),
    ("http://u:p@h", "http://***@h"),
  ])
  func passwordsAreNotShown(text: String, shown: String) {
    #expect(StorePlace.withoutPassword(text) == shown)
    #expect(Setting.sessionStore.quoted(text) == shown)
  }
}
