import Testing

@testable import Scheduling

@Suite struct LostSessionsTests {
  private static func key(_ id: String, model: String = "m") -> SessionTable.Key {
    .init(model: model, id: id)
  }

  /// Those that were lost first are forgotten first.
  @Test(arguments: [2, 3, 4])
  func theBound(count: Int) {
    var lost = LostSessions(limit: 3)
    let keys = (0..<count).map { Self.key("s\($0)") }
    for key in keys { lost.insert(key.stableHash) }
    #expect(keys.map(lost.contains) == (0..<count).map { $0 >= count - 3 })
    #expect(lost.remembered == keys.suffix(3).map(\.stableHash))
  }

  @Test func removal() {
    var lost = LostSessions(limit: 3)
    for id in ["a", "b", "b", "c"] { lost.insert(Self.key(id).stableHash) }
    lost.remove(Self.key("b"))
    lost.remove(Self.key("none"))
    #expect(!lost.contains(Self.key("b")))
    #expect(lost.remembered == ["a", "c"].map { Self.key($0).stableHash })
  }

  /// Known values of FNV-1a, as a file may come from any build.
  @Test(
    arguments: [("", "", 0xaf63_bd4c_8601_b7df), ("co2", "s1", 0xd07b_5aee_b842_f6c1)]
      as [(String, String, UInt64)])
  func theSameInEveryProcess(model: String, id: String, hash: UInt64) {
    #expect(Self.key(id, model: model).stableHash == hash)
    #expect(Self.key("b", model: "a").stableHash != Self.key("a", model: "b").stableHash)
    #expect(Self.key("bc", model: "a").stableHash != Self.key("c", model: "ab").stableHash)
  }
}
