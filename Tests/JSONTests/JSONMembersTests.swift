import Testing

@testable import JSON

/// Members whose errors stay what they are.
private typealias Members = JSONMembers<JSONMemberError>

@Suite struct JSONMembersTests {
  private func members(
    _ body: String, path: String? = nil
  ) throws -> (document: JSONDocument, members: Members) {
    let document = try JSONReaderPool().read(Array(body.utf8), maxDepth: 8)
    return (document, try Members(["a", "b"], others: .allowed, of: document, path: path))
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
    #expect(found["a"] == nil)
    #expect(try members(#"{"a":"x"}"#).members.optionalString("a") == "x")
  }

  @Test(arguments: [(nil, "b"), ("inputs[2]", "inputs[2].b")] as [(String?, String)])
  func errorsNameThePlace(path: String?, place: String) throws {
    let (_, absent) = try members("{}", path: path)
    #expect(throws: JSONMemberError.missing(path: place, others: [])) { try absent.node("b") }
    #expect(throws: JSONMemberError.missing(path: place, others: [])) { try absent.string("b") }
    // What stands there instead is told, the first few of it.
    let (_, other) = try members(#"{"c":1,"a":2,"d":{"b":1}}"#, path: path)
    #expect(throws: JSONMemberError.missing(path: place, others: ["c", "d"])) {
      try other.node("b")
    }
    let many = "{" + (0..<9).map { #""o\#($0)":1"# }.joined(separator: ",") + "}"
    #expect(throws: JSONMemberError.missing(path: place, others: ["o0", "o1", "o2", "o3", "o4"])) {
      try members(many, path: path).members.node("b")
    }
    let (_, null) = try members(#"{"b":null}"#, path: path)
    #expect(throws: JSONMemberError.unexpected(path: place, found: .null, expected: .string)) {
      try null.string("b")
    }
    let (_, number) = try members(#"{"b":3}"#, path: path)
    #expect(throws: JSONMemberError.unexpected(path: place, found: .number(3), expected: .string)) {
      try number.optionalString("b")
    }
    #expect(throws: JSONMemberError.duplicate(path: place)) {
      try members(#"{"b":1,"c":2,"b":1}"#, path: path)
    }
  }

  // MARK: - Other members

  @Test(arguments: [(nil, nil), ("options", "options")] as [(String?, String?)])
  func othersMayBeRefused(path: String?, place: String?) throws {
    func read(_ body: String) throws -> Members {
      let document = try JSONReaderPool().read(Array(body.utf8), maxDepth: 8)
      return try Members(["a", "b"], others: .refused, of: document, path: path)
    }
    #expect(try read(#"{"b":1,"a":2}"#)["a"] != nil)
    #expect(try read("{}")["a"] == nil)
    for body in [#"{"c":1}"#, #"{"a":{"a":1},"c":{}}"#, #"{"b":[[]],"c":null}"#] {
      #expect(throws: JSONMemberError.unknown("c", path: place, known: ["a", "b"])) {
        try read(body)
      }
    }
    #expect(throws: JSONMemberError.unknown("A", path: place, known: ["a", "b"])) {
      try read(#"{"A":1}"#)
    }
    // Names within others are theirs.
    #expect(try read(#"{"a":{"c":1},"b":[{"c":2}]}"#)["b"] != nil)
  }

  /// One that would be passed over in the place of a member that is not there.
  @Test(arguments: [
    "start_timestmp", "startTimestamp", "start_timestamps", "Start_timestamp", "seris", "Series",
  ])
  func slipsAreRefused(name: String) throws {
    func read(_ body: String) throws -> Members {
      let document = try JSONReaderPool().read(Array(body.utf8), maxDepth: 8)
      return try Members(["start_timestamp", "series", "name"], others: .allowed, of: document)
    }
    let known = ["start_timestamp", "series", "name"]
    #expect(throws: JSONMemberError.unknown(name, path: nil, known: known)) {
      try read(#"{"\#(name)":1}"#)
    }
    // Not where that is there too: then it is another.
    #expect(try read(#"{"\#(name)":1,"series":1,"start_timestamp":null}"#)["series"] != nil)
  }

  /// Extensions of clients are no slips, nor are short words, and what is beyond the first hundred is not compared.
  @Test(arguments: ["names", "game", "metadata", "end_timestamp", "x", "", "start"])
  func othersAreNoSlips(name: String) throws {
    let document = try JSONReaderPool().read(Array(#"{"\#(name)":1}"#.utf8), maxDepth: 8)
    #expect(
      try Members(["start_timestamp", "name"], others: .allowed, of: document)["name"] == nil)
  }

  @Test func comparesABoundedNumber() throws {
    for (count, isRefused) in [(99, true), (100, false)] {
      let others = (0..<count).map { #""x\#($0)":1,"# }.joined()
      let document = try JSONReaderPool().read(
        Array("{\(others)\"seris\":1}".utf8), maxDepth: 8)
      let read = { try Members(["series"], others: .allowed, of: document) }
      if isRefused {
        #expect(throws: JSONMemberError.unknown("seris", path: nil, known: ["series"])) {
          try read()
        }
      } else {
        #expect(throws: Never.self) { try read() }
      }
    }
  }

  // MARK: - Numbers

  @Test(arguments: [
    ("1", 1), ("5", 5), ("2.0", 2), ("3e0", 3), ("50e-1", 5),
  ]) func wholeNumbers(text: String, value: Int) throws {
    #expect(try members(#"{"a":\#(text)}"#).members.integer("a", in: 1...5) == value)
    #expect(try members("{}").members.integer("a", in: 1...5) == nil)
  }

  @Test(
    arguments: [
      ("0", .number(0)), ("6", .number(6)), ("1.5", .number(1.5)), ("-1", .number(-1)),
      ("1e300", .number(1e300)), (#""1""#, .string("1")), ("true", .boolean(true)),
      ("[1]", .numbers(1)), ("{}", .object),
    ] as [(String, JSONDocument.Found)])
  func otherThanWholeNumbers(text: String, found: JSONDocument.Found) throws {
    let (_, members) = try members(#"{"a":\#(text)}"#, path: "x")
    #expect(
      throws: JSONMemberError.unexpected(path: "x.a", found: found, expected: .integer(1...5))
    ) {
      try members.integer("a", in: 1...5)
    }
  }

  @Test func booleans() throws {
    let (_, members) = try members(#"{"a":true,"b":false}"#)
    #expect(try members.boolean("a") == true && members.boolean("b") == false)
    #expect(try self.members("{}").members.boolean("a") == nil)
    for (text, found) in [("0", .number(0)), ("1.5", .number(1.5)), (#""true""#, .string("true"))]
      as [(String, JSONDocument.Found)]
    {
      let (_, other) = try self.members(#"{"a":\#(text)}"#)
      #expect(throws: JSONMemberError.unexpected(path: "a", found: found, expected: .boolean)) {
        try other.boolean("a")
      }
    }
  }
}
