import Testing

@testable import API

@Suite struct JSONMembersTests {
  private func members(
    _ body: String, path: String? = nil
  ) throws -> (document: JSONDocument, members: JSONMembers) {
    let document = try JSONReaderPool().read(Array(body.utf8), maxDepth: 8)
    return (document, try JSONMembers(["a", "b"], others: .allowed, of: document, path: path))
  }

  @Test(arguments: [
    #"{"a":"x","b":[1,2]}"#, #"{"b":[1,2],"a":"x"}"#,
    #"{"c":{"a":1,"b":2},"b":[1,2],"d":[{"a":1},[]],"a":"x","c":3}"#, #"{"b":[1,2],"\u0061":"x"}"#,
  ])
  func findsThemInAnyOrderAmongOthers(body: String) throws {
    let (document, members) = try members(body)
    #expect(try members.string("a") == "x")
    #expect(document.found(try members.node("b")) == .numbers(2))
  }

  @Test func absentAndNullAreOptional() throws {
    let (_, found) = try members(#"{"a":null}"#)
    #expect(try found.optionalString("a") == nil && found.optionalString("b") == nil)
    #expect(found.optional("a") == nil)
    #expect(try members(#"{"a":"x"}"#).members.optionalString("a") == "x")
  }

  @Test(arguments: [(nil, "b"), ("inputs[2]", "inputs[2].b")] as [(String?, String)])
  func errorsNameThePlace(path: String?, place: String) throws {
    let (_, absent) = try members("{}", path: path)
    #expect(throws: APIError.missing(path: place)) { try absent.node("b") }
    #expect(throws: APIError.missing(path: place)) { try absent.string("b") }
    let (_, null) = try members(#"{"b":null}"#, path: path)
    #expect(throws: APIError.unexpected(path: place, found: .null, expected: .string)) {
      try null.string("b")
    }
    let (_, number) = try members(#"{"b":3}"#, path: path)
    #expect(throws: APIError.unexpected(path: place, found: .number(3), expected: .string)) {
      try number.optionalString("b")
    }
    #expect(throws: APIError.duplicate(path: place)) {
      try members(#"{"b":1,"c":2,"b":1}"#, path: path)
    }
  }
}
