import Testing

@testable import JSON

@Suite struct JSONParserTests {
  private func parse(_ text: String) throws -> JSONValue { try JSONParser.parse(Array(text.utf8)) }

  @Test(arguments: [
    ("null", JSONValue.null), (" true ", .bool(true)), ("false\n", .bool(false)),
    ("0", .number("0")), ("-0.5e+10", .number("-0.5e+10")), ("12E3", .number("12E3")),
    (#""""#, .string("")), (#""a\"\\\/\b\f\n\r\t""#, .string("a\"\\/\u{8}\u{c}\n\r\t")),
    (#""\u00e9\uD83D\ude00é😀""#, .string("é😀é😀")), ("[]", .array([])), ("{ }", .object([])),
    ("[1, [2]]", .array([.number("1"), .array([.number("2")])])),
    (
      #"{"b":1,"a":[]}"#,
      .object([.init(key: "b", value: .number("1")), .init(key: "a", value: .array([]))])
    ),
  ])
  func parses(text: String, value: JSONValue) throws { #expect(try parse(text) == value) }

  @Test(arguments: [
    "", "nul", "+1", "01", "1.", ".5", "1e", "-", "[1,]", "[1 2]", "[", "{\"a\"}", "{\"a\":}",
    "{\"a\":1,}", "{a:1}", "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"",
    "\"\\udc00\"", "\"\t\"", "1 1", "NaN", "{\"a\":1,\"a\":2}", "[}",
  ])
  func refuses(text: String) { #expect(throws: JSONSyntaxError.self) { _ = try parse(text) } }

  @Test func refusesInvalidUTF8() {
    #expect(throws: JSONSyntaxError.self) { _ = try JSONParser.parse([0x22, 0xC3, 0x22]) }
    #expect(throws: JSONSyntaxError.self) {
      _ = try JSONParser.parse([0x22, 0xED, 0xA0, 0x80, 0x22])
    }
  }

  @Test func errorsNameLineAndColumn() {
    let malformed = JSONSyntaxError.malformed(
      line: 2, column: 3, found: UInt8(ascii: "x"), expected: "a value")
    #expect(throws: malformed) { try parse("[1,\n  x]") }
    #expect("\(malformed)" == "line 2, column 3: expected a value, found 'x'")
    let duplicate = JSONSyntaxError.duplicateKey("a", line: 2, column: 1)
    #expect(throws: duplicate) { try parse("{\"a\":1,\n\"a\":2}") }
    #expect("\(duplicate)" == "line 2, column 1: the key \"a\" stands twice in one object")
  }

  @Test func depthIsBounded() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try parse(nested(JSONParser.maxDepth - 1))
    _ = try parse(nested(JSONParser.maxDepth))
    #expect {
      try parse(nested(JSONParser.maxDepth + 1))
    } throws: {
      "\($0)".contains("at most \(JSONParser.maxDepth) levels of brackets")
    }
  }

  @Test(arguments: [-1, 0, 1]) func valuesAreCounted(excess: Int) throws {
    // The array itself is one of the values.
    let count = JSONParser.maxValues - 1 + excess
    let text = Array("[\(String(repeating: "0,", count: count - 1))0]".utf8)
    if excess <= 0 {
      _ = try JSONParser.parse(text)
    } else {
      let error = JSONSyntaxError.tooManyValues(limit: JSONParser.maxValues)
      #expect(throws: error) { try JSONParser.parse(text) }
      #expect("\(error)".contains("\(JSONParser.maxValues)"))
    }
  }

  // MARK: - Encodings

  @Test(
    arguments: [
      ([0xEF, 0xBB, 0xBF, 0x7B, 0x7D], "UTF-8 with a byte order mark"),
      ([0xFF, 0xFE, 0x7B, 0, 0x7D, 0], "UTF-16"), ([0xFE, 0xFF, 0, 0x7B, 0, 0x7D], "UTF-16"),
      ([0x7B, 0, 0x7D, 0], "UTF-16"), ([0, 0x7B, 0, 0x7D], "UTF-16"),
      ([0xFF, 0xFE, 0, 0, 0x7B, 0, 0, 0], "UTF-32"), ([0, 0, 0, 0x7B], "UTF-32"),
    ] as [([UInt8], String)])
  func otherEncodingsAreNamed(bytes: [UInt8], name: String) {
    #expect(throws: JSONSyntaxError.encoding(name)) { try JSONParser.parse(bytes) }
    let sentence = "\(JSONSyntaxError.encoding(name))"
    #expect(sentence.contains(name) && sentence.contains("UTF-8 without a byte order mark"))
  }
}
