import Glibc
import Scheduling
import SessionStores
import TestSupport
import Testing

@testable import carousel

@Suite struct SessionLinesTests {
  private static let session = StoredSession(
    key: .init(model: "85f9", id: "a:b.c-d_e~1"), version: 3, steps: 24, created: 1, used: 2,
    floats: [0, -0.0, 1.5, .leastNonzeroMagnitude, -.greatestFiniteMagnitude])

  @Test func comeBack() throws {
    let line = SessionLines.line(Self.session)
    #expect(!line.contains("\n"))
    let read = try SessionLines.session(Array(line.utf8), number: 2)
    #expect(read == Self.session)
    #expect(read.floats?.map(\.bitPattern) == Self.session.floats?.map(\.bitPattern))
  }

  @Test(arguments: [
    ("\"version\": 3", "\"version\": 0", "version"), ("\"steps\": 24", "\"steps\": 2.5", "steps"),
    ("\"steps\": 24", "\"steps\": 9223372036854775807", "steps"),
    ("\"id\": \"a:b.c-d_e~1\"", "\"id\": \"a/b\"", "id"), ("\"id\": ", "\"ids\": ", "id"),
    ("\"model\": \"85f9\"", "\"model\": 7", "model"), ("\"state\": \"", "\"state\": \"A", "state"),
    ("\"state\": \"AAAA", "\"state\": \"AADA", ""),
    ("\"state\": \"AAAAAA", "\"state\": \"AADAfw", "state"),
    ("{", "[", "line 2"),
  ])
  func refuses(part: String, other: String, name: String) throws {
    let line = SessionLines.line(Self.session)
    let range = try #require(line.firstRange(of: part))
    let damaged = line.replacingCharacters(in: range, other)
    guard !name.isEmpty else {
      _ = try SessionLines.session(Array(damaged.utf8), number: 2)
      return
    }
    let error = #expect(throws: CarouselError.self) {
      try SessionLines.session(Array(damaged.utf8), number: 2)
    }
    let sentence = "\(try #require(error))"
    #expect(sentence.hasPrefix("line 2") && sentence.contains(name))
  }

  /// Errors name the line and the field, what was found and what was expected.
  @Test(arguments: [
    ("\"version\": 3", "\"version\": 0", "version: found 0, expected a whole number from 1 to"),
    ("\"steps\": 24", "\"steps\": \"x\"", "steps: found \"x\", expected a whole number"),
    ("\"used\": 2, ", "", "used: found nothing, expected a whole number from 0 to"),
    ("\"used\": 2", "\"used\": 2, \"age\": 1", "found \"age\", expected model, id, "),
    ("\"used\": 2", "\"used\": 2, \"used\": 1", ", column "),
    ("a:b.c-d_e~1", "..", "id: found \"..\", expected 1 to 128 letters, digits"),
    (
      "\"state\": \"AAAAAA", "\"state\": \"?AAAAA",
      "state: found a text of 28 bytes that is no base64"
    ),
    ("\"state\": \"AAAAAA", "\"state\": \"AADAfw", "state: found nan as float 0, expected finite"),
  ])
  func saysWhatIsWrong(part: String, other: String, expected: String) throws {
    let line = SessionLines.line(Self.session)
    let range = try #require(line.firstRange(of: part))
    let damaged = line.replacingCharacters(in: range, other)
    let error = #expect(throws: CarouselError.self) {
      try SessionLines.session(Array(damaged.utf8), number: 2)
    }
    let mark = expected.hasPrefix(",") ? "" : ": "
    #expect("\(try #require(error))".hasPrefix("line 2\(mark)\(expected)"))
  }

  @Test(arguments: [
    (nil, "line 1: found nothing, expected {"), ("", "line 1: found another beginning"),
    ("{\"carousel_sessions\": 2}", "line 1: carousel_sessions: found 2, which another version"),
    ("{\"model\": 1}", "line 1: found another beginning"),
  ])
  func otherBeginnings(line: String?, expected: String) throws {
    let error = #expect(throws: CarouselError.self) {
      try SessionLines.checkHead(line.map { Array($0.utf8) })
    }
    #expect("\(try #require(error))".hasPrefix(expected))
    try SessionLines.checkHead(Array(SessionLines.head.utf8))
  }

  @Test func linesAreReadHoweverTheyCome() throws {
    let folder = TemporaryFolder()
    let long = String(repeating: "x", count: 200_000)
    for (text, lines) in [
      ("", []), ("a", ["a"]), ("a\n", ["a"]), ("\n", [""]),
      ("a\n\n\(long)\nb", ["a", "", long, "b"]),
    ] {
      let file = try #require(fopen(folder.path + "/f", "w+"))
      fputs(text, file)
      rewind(file)
      let reader = LineReader(fileno(file))
      for line in lines { #expect(try reader.next() == Array(line.utf8)) }
      #expect(try reader.next() == nil)
      #expect(reader.count == lines.count)
      fclose(file)
    }
  }
}

extension String {
  fileprivate func replacingCharacters(in range: Range<String.Index>, _ other: String) -> String {
    String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
  }
}
