import TestSupport
import Testing

@testable import carousel

@Suite struct SettingsFileTests {
  private func texts(_ json: String, path: String = "c.json") throws -> [Setting: String] {
    try SettingsFile(Array(json.utf8), path: path).texts
  }

  @Test func plainValuesOfEveryKind() throws {
    let texts = try texts(
      #"{"port": 80, "head_timeout_seconds": 2.5, "log_level": "debug", "host": null, "loops": true}"#
    )
    #expect(
      texts == [.port: "80", .headTimeoutSeconds: "2.5", .logLevel: "debug", .loops: "true"])
  }

  @Test(arguments: [
    ("memory", "memory"), ("file:a", "file:/etc/a"), ("file:/a", "file:/a"),
    ("file:../a", "file:/etc/../a"),
  ])
  func stores(text: String, store: String) throws {
    #expect(
      try texts("{\"session_store\": \"\(text)\"}", path: "/etc/c.json") == [.sessionStore: store])
  }

  /// Each of several, and nothing where there is none.
  @Test(arguments: [
    ("", ""), ("a", "/etc/a"), ("/a:b", "/a:/etc/b"), ("a:../b", "/etc/a:/etc/../b"),
  ])
  func severalPaths(text: String, paths: String) throws {
    #expect(
      try texts("{\"session_file\": \"\(text)\"}", path: "/etc/c.json") == [.sessionFile: paths])
  }

  @Test(arguments: [
    ("models", "/etc/carousel.json", "/etc/models"),
    ("../models", "config/carousel.json", "config/../models"),
    ("models", "carousel.json", "models"),
    ("/srv/models", "/etc/carousel.json", "/srv/models"),
  ])
  func pathsAreRelativeToTheFile(text: String, file: String, path: String) throws {
    #expect(try texts("{\"models\": \"\(text)\"}", path: file) == [.models: path])
  }

  @Test(arguments: [
    (#"{"max_seat": 1}"#, "max_seat (c.json) is not a setting; did you mean max_seats?"),
    (
      #"{"colour": "red"}"#,
      "colour (c.json) is not a setting; `carousel config` lists them all"
    ),
    (
      #"{"port": [1]}"#,
      "c.json: port: found an array of 1, expected no array or object, but a whole number from 0 to 65535"
    ),
    (
      #"{"cors_origins": ["https://a.test"]}"#,
      "c.json: cors_origins: found an array of 1, expected one text, of origins such as https://example.org, separated by commas, or *"
    ),
    ("[]", "c.json: not a JSON object of settings"),
    ("", "c.json: line 1, column 1: expected a value, found the end"),
    (#"{"port": 1"#, "c.json: line 1, column 11: expected ',' or '}', found the end"),
    (
      #"{"port":18806,}"#, "c.json: line 1, column 15: expected a key in quotes, found '}'"
    ),
    (
      "{\"port\": 1,\n\"port\": 2}",
      "c.json: line 2, column 1: the key \"port\" stands twice in one object"
    ),
    (#"{"port": 1} x"#, "c.json: line 1, column 13: expected the end, found 'x'"),
  ])
  func refused(json: String, message: String) {
    #expect { try texts(json) } throws: { "\($0)" == message }
  }

  @Test func aMissingFileIsNamed() {
    #expect { try SettingsFile(path: "/nonexistent/c.json") } throws: {
      "\($0)" == "/nonexistent/c.json: No such file or directory"
    }
  }

  /// It shows what most people change, at its default; each clone serves the bundled models.
  @Test func theProjectsOwnFileIsTaken() throws {
    let file = try SettingsFile(path: "\(Fixtures.root)/config/carousel.json")
    let settings = try Settings(file: file)
    #expect(!file.texts.isEmpty)
    for entry in settings.entries where entry.setting != .models {
      #expect(entry.value == entry.setting.parse(entry.setting.defaultText))
    }
    #expect(try modelFolders(in: settings.text(.models)).contains(BundledModel.folder))
  }
}
