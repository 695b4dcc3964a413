import Testing

@testable import ModelFormat

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
  func refuses(text: String) { #expect(throws: ModelError.self) { _ = try parse(text) } }

  @Test func refusesInvalidUTF8() {
    #expect(throws: ModelError.self) { _ = try JSONParser.parse([0x22, 0xC3, 0x22]) }
    #expect(throws: ModelError.self) { _ = try JSONParser.parse([0x22, 0xED, 0xA0, 0x80, 0x22]) }
  }

  @Test func errorsNameLineAndColumn() {
    expectError(mentioning: ["line 2, column 3", "found 'x'"]) { _ = try parse("[1,\n  x]") }
    expectError(mentioning: ["line 2, column 1", "\"a\"", "twice"]) {
      _ = try parse("{\"a\":1,\n\"a\":2}")
    }
  }

  @Test func depthIsBounded() throws {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    _ = try parse(nested(ModelLimits.jsonDepth - 1))
    _ = try parse(nested(ModelLimits.jsonDepth))
    expectError(mentioning: ["\(ModelLimits.jsonDepth) levels"]) {
      _ = try parse(nested(ModelLimits.jsonDepth + 1))
    }
  }

  @Test(arguments: [-1, 0, 1]) func valuesAreCounted(excess: Int) throws {
    // The array itself is one of the values.
    let count = ModelLimits.jsonValues - 1 + excess
    let text = Array("[\(String(repeating: "0,", count: count - 1))0]".utf8)
    if excess <= 0 {
      _ = try JSONParser.parse(text)
    } else {
      expectError(mentioning: ["\(ModelLimits.jsonValues)"]) { _ = try JSONParser.parse(text) }
    }
  }

  @Test(arguments: ["", "a\"b\\c\n\r\t\u{1}\u{1F}é😀", "\u{7F}\u{2028}"])
  func writtenTextReadsBack(text: String) throws {
    #expect(try parse(text.jsonText) == .string(text))
    #expect(text.jsonText.unicodeScalars.allSatisfy { $0.isPrintable })
    #expect(text.printable.unicodeScalars.allSatisfy { $0.isPrintable })
  }
}
