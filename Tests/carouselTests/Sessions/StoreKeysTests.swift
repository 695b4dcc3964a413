import Glibc
import TestSupport
import Testing

@testable import carousel

@Suite struct StoreKeysTests {
  private let folder = TemporaryFolder()

  private func write(_ text: String) throws -> String {
    let path = folder.path + "/keys"
    let file = try #require(fopen(path, "w"))
    fputs(text, file)
    fclose(file)
    return path
  }

  private func settings(_ store: String, _ keys: String) throws -> Settings {
    try Settings(commandLine: [.sessionStore: store, .sessionStoreKeys: keys])
  }

  @Test func areReadFromTheirFile() throws {
    let path = try write("a \(String(repeating: "0f", count: 32))\n")
    #expect(try stateSealing(by: settings("file:/x", path), at: .file(path: "/x")) != nil)
    #expect(try stateSealing(by: settings("file:/x", ""), at: .file(path: "/x")) == nil)
  }

  @Test func forARedisToo() throws {
    let path = try write("a \(String(repeating: "0f", count: 32))\n")
    let store = "redis://h"
    let place = try #require(StorePlace(store))
    #expect(try stateSealing(by: settings(store, path), at: place) != nil)
  }

  @Test func memoryNeedsNone() throws {
    let path = try write("a \(String(repeating: "0f", count: 32))\n")
    #expect(throws: CarouselError.self) {
      try stateSealing(by: settings("memory", path), at: .memory)
    }
  }

  @Test func problemsNameTheFileAndTheLine() throws {
    let path = try write("# keys\na 0f0f\n")
    let error = #expect(throws: CarouselError.self) {
      try stateSealing(by: settings("file:/x", path), at: .file(path: "/x"))
    }
    let sentence = "\(try #require(error))"
    #expect(sentence.hasPrefix("session_store_keys: \(path): line 2: "))
    #expect(!sentence.contains("0f0f"))
    let missing = #expect(throws: CarouselError.self) {
      try stateSealing(by: settings("file:/x", path + ".none"), at: .file(path: "/x"))
    }
    #expect(
      "\(try #require(missing))" == "session_store_keys: \(path).none: No such file or directory")
  }
}
