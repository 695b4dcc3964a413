import JSON
import Serving
import Testing

@testable import API

@Suite struct BodyMembersTests {
  private func members(_ body: String) throws -> BodyMembers {
    try BodyMembers(
      ["a", "b"], others: .refused, of: try BodyReader().read(Array(body.utf8)), path: nil)
  }

  @Test func numbersAsTheyAreAdmitted() throws {
    let members = try members(#"{"a":0.25,"b":"0.25"}"#)
    #expect(try members.number("a", expected: .probability) { $0 < 0.3 } == 0.25)
    #expect(
      throws: Fault(BodyError.unexpected(path: "a", found: .number(0.25), expected: .probability))
    ) {
      try members.number("a", expected: .probability) { $0 < 0.2 }
    }
    #expect(
      throws: Fault(BodyError.unexpected(path: "b", found: .string("0.25"), expected: .number))
    ) { try members.number("b", expected: .number) { _ in true } }
  }

  /// Each error of members is one of the service's, with all that it says.
  @Test func errors() throws {
    #expect(throws: Fault(BodyError.missing(path: "b", others: []))) { try members("{}").node("b") }
    #expect(throws: Fault(BodyError.unknown("c", path: nil, known: ["a", "b"]))) {
      try members(#"{"c":1}"#)
    }
    #expect(throws: Fault(BodyError.duplicate(path: "a"))) { try members(#"{"a":1,"a":1}"#) }
    let wrong = try members(#"{"a":[1],"b":null}"#)
    #expect(throws: Fault(BodyError.unexpected(path: "a", found: .numbers(1), expected: .string))) {
      try wrong.string("a")
    }
    #expect(throws: Fault(BodyError.unexpected(path: "a", found: .numbers(1), expected: .boolean)))
    {
      try wrong.boolean("a")
    }
    #expect(
      throws: Fault(BodyError.unexpected(path: "a", found: .numbers(1), expected: .integer(1...5)))
    ) { try wrong.integer("a", in: 1...5) }
  }
}
