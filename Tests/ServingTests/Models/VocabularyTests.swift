import Testing

@testable import Serving

@Suite struct VocabularyTests {
  @Test(
    arguments: [
      (["a", "b", " "], "ab a", [0, 1, 2, 0]),
      (["a", "ab", "abc", "c"], "abcabac", [2, 1, 0, 3]),
      (["é", "日", "e"], "日ée", [1, 0, 2]),
      (["a", "", "a", "b"], "ba", [3, 0]),
      (["a"], "", []),
    ] as [([String], String, [Int32])])
  func encodes(entries: [String], text: String, ids: [Int32]) throws {
    #expect(try Vocabulary(entries).encode(Array(text.utf8)[...]) == ids)
  }

  @Test(
    arguments: [
      (["a", "b"], "abxa", "x", 2), (["é"], "ééz", "z", 2), (["a", "abc"], "aab", "b", 2),
      (["a"], "日", "日", 0),
    ] as [([String], String, Character, Int)])
  func namesTheUnknown(entries: [String], text: String, character: Character, position: Int) {
    #expect(throws: Vocabulary.UnknownCharacter(character: character, position: position)) {
      try Vocabulary(entries).encode(Array(text.utf8)[...])
    }
  }
}
