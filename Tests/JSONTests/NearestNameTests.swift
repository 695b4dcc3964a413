import Testing

@testable import JSON

@Suite struct NearestNameTests {
  @Test(arguments: [
    ("", "", 0), ("", "ab", 2), ("port", "port", 0), ("prot", "port", 1), ("pot", "port", 1),
    ("ports", "port", 1), ("part", "port", 1), ("abcd", "badc", 2), ("kitten", "sitting", 3),
  ])
  func distance(first: String, second: String, edits: Int) {
    #expect(editDistance(first, second) == edits)
    #expect(editDistance(second, first) == edits)
  }

  @Test func atMostTwoEditsAway() {
    let names = ["max_seats", "max_horizon"]
    #expect(nearestName(to: "max_seats", among: names) == "max_seats")
    #expect(nearestName(to: "max_seat", among: names) == "max_seats")
    #expect(nearestName(to: "max_sea", among: names) == "max_seats")
    #expect(nearestName(to: "max_se", among: names) == nil)
  }

  /// Texts that clients send may be long.
  @Test func longTextsAreNear() {
    let text = String(repeating: "a", count: 1000)
    #expect(nearestName(to: text + "b", among: [text]) == text)
    #expect(nearestName(to: String(repeating: "é", count: 10), among: ["é"]) == nil)
    #expect(nearestName(to: "max_😀seats😀", among: ["max_seats"]) == "max_seats")
  }

  @Test func theNearerNameWins() {
    #expect(nearestName(to: "abx", among: ["aaxy", "aby", "abc"]) == "abc")
  }
}
