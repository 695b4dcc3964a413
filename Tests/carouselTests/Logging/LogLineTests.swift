import FoundationEssentials
import Logging
import Testing

@testable import carousel

@Suite struct LogLineTests {
  static let odd = [
    "", " ", "plain", "a\"b\\c/", "tab\tline\nreturn\r\u{0}\u{1F}\u{7F}", "é 🎠 \u{2028}\u{FFFD}",
    "\u{301}x", "a=b", "{\"time\":1}", "\u{1B}[31mred",
  ]

  private func line(_ message: String, _ metadata: Logger.Metadata = [:]) -> LogLine {
    LogLine(
      time: Timestamp(seconds: 0, milliseconds: 7), level: "info", message: message,
      metadata: metadata)
  }

  @Test(arguments: odd)
  func jsonKeepsAnyText(text: String) throws {
    let json = line(text, ["k" + text: .string(text)]).json
    let decoded = try JSONDecoder().decode([String: String].self, from: Data(json.utf8))
    #expect(
      decoded == [
        "time": "1970-01-01T00:00:00.007Z", "level": "info", "message": text, "k" + text: text,
      ])
    #expect(!json.utf8.contains { $0 < 0x20 || $0 == 0x7F })
  }

  @Test(arguments: odd)
  func textIsOneLine(text: String) {
    let line = line(text, ["k" + text: .string(text)]).text
    #expect(!line.utf8.contains { $0 < 0x20 || $0 == 0x7F })
  }

  @Test func text() {
    #expect(
      line("listening", ["port": "80", "name": "a b", "none": ""]).text
        == #"1970-01-01T00:00:00.007Z info    listening name="a b" none="" port=80"#)
  }

  @Test func metadataOfEveryKind() {
    let json = line(
      "m",
      [
        "array": ["a", .stringConvertible(1)], "double": .stringConvertible(0.5),
        "flag": .stringConvertible(true), "map": ["b": "1", "a": ["x": "y"]],
        "nan": .stringConvertible(Double.nan), "number": .stringConvertible(42),
      ]
    ).json
    #expect(
      json
        == #"{"time":"1970-01-01T00:00:00.007Z","level":"info","message":"m","#
        + #""array":["a",1],"double":0.5,"flag":true,"map":{"a":{"x":"y"},"b":"1"},"nan":"nan","number":42}"#
    )
  }

  @Test func metadataNeverHidesTheLinesOwnFields() throws {
    let json = line("m", ["message": "x", "time": "y", "level": "z"]).json
    let decoded = try JSONDecoder().decode([String: String].self, from: Data(json.utf8))
    #expect(decoded["message"] == "m")
    #expect(decoded["message_"] == "x")
  }
}
