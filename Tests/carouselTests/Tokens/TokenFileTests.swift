import API
import ModelFormat
import Serving
import Testing

@testable import carousel

@Suite struct TokenFileTests {
  private static let digits = String(repeating: "0a", count: 32)

  private func file(_ text: String) throws(CarouselError) -> TokenFile {
    try TokenFile(Array(text.utf8), path: "t.json")
  }

  @Test func whatIsWrittenIsRead() throws {
    var tokens = TokenFile()
    let digest = [UInt8](repeating: 10, count: 32)
    let first = tokens.add(AccessToken(name: "a \"b\"", digest: digest, scopes: [.predict]))
    let second = tokens.add(
      AccessToken(
        name: "ops", digest: [UInt8](repeating: 11, count: 32), scopes: [.predict, .operate],
        models: ["x", "y"],
        limits: .init(rate: 0.5, burst: 3, concurrency: 0)))
    let again = tokens.add(AccessToken(name: "ops", digest: digest, scopes: []))
    #expect(first && second && !again)
    #expect(try file(tokens.text) == tokens)
    #expect(try file(TokenFile().text) == TokenFile())
  }

  @Test(arguments: [
    ("", "line 1"), ("[]", "the file: found [], expected an object"),
    ("{}", "tokens: found nothing, expected an array"),
    (#"{"tokens":[1]}"#, "tokens[0]: found 1, expected an object"),
    (#"{"tokens":[],"x":1}"#, #"the file: found "x", expected tokens"#),
    (#"{"tokens":[{"sha256":"00"}]}"#, "tokens[0].name: found nothing, expected a string"),
    (
      #"{"tokens":[{"name":"a","sha256":"0"}]}"#,
      #"tokens[0].sha256: found "0", expected 64 hexadecimal digits"#
    ),
    (
      #"{"tokens":[{"name":"a","sha256":"\#(digits)x"}]}"#,
      #"expected 64 hexadecimal digits"#
    ),
    (
      #"{"tokens":[{"name":"a","sha256":"\#(digits)","scopes":["all"]}]}"#,
      #"tokens[0].scopes: found "all", expected predict or operate"#
    ),
    (
      #"{"tokens":[{"name":"a","sha256":"\#(digits)","scopes":["predict"],"models":"x"}]}"#,
      #"tokens[0].models: found "x", expected an array"#
    ),
    (
      #"{"tokens":[{"name":"a","sha256":"\#(digits)","scopes":["predict"],"rate_limit":"5"}]}"#,
      #"tokens[0].rate_limit: found "5", expected a number from 0 to 1000000"#
    ),
    (
      #"{"tokens":[{"name":"a","sha256":"\#(digits)","scopes":["predict"],"rate_burst":1.5}]}"#,
      "tokens[0].rate_burst: found 1.5, expected a whole number from 0 to 1000000"
    ),
    (
      #"{"tokens":[{"name":"a","sha256":"\#(digits)","scopes":["predict"],"concurrency_limit":-1}]}"#,
      "tokens[0].concurrency_limit: found -1, expected a whole number"
    ),
    (
      #"{"tokens":[{"name":"a","sha256":"\#(digits)","scopes":["predict"]},{"name":"a","sha256":"\#(digits)","scopes":["predict"]}]}"#,
      "tokens[1].name: found a, expected a name that no other token has"
    ),
    (
      #"{"tokens":[{"name":"a","sha256":"\#(digits)","scopes":["predict"]},{"name":"b","sha256":"\#(digits)","scopes":["predict"]}]}"#,
      #"tokens[1].sha256: found that of "a", expected a hash that no other token has"#
    ),
    (
      #"{"tokens":[{"name":"a","sha256":"\#(digits)","scopes":[]}]}"#,
      "tokens[0].scopes: found [], expected predict, operate, or both"
    ),
    (
      #"{"tokens":[{"name":"a","sha256":"\#(digits)","scopes":["predict"],"models":[]}]}"#,
      "tokens[0].models: found [], expected the names of models"
    ),
    (
      #"{"tokens":[{"name":"a","sha256":"\#(digits)","scopes":["predict"],"models":["a,b"]}]}"#,
      #"tokens[0].models: found ["a,b"], expected the names of models"#
    ),
  ])
  func otherFilesAreRefused(text: String, problem: String) {
    #expect {
      try file(text)
    } throws: {
      guard case .badTokenFile("t.json", let found)? = $0 as? CarouselError else { return false }
      return found.contains(problem)
    }
  }

  @Test func aMissingFileOfTokensTellsWhatToDo() throws {
    let settings = try Settings(commandLine: [.tokensFile: "/nonexistent.json"])
    #expect {
      try settings.tokens()
    } throws: {
      "\($0)"
        == "tokens_file: /nonexistent.json: No such file or directory; carousel token NAME --file /nonexistent.json makes it"
    }
  }

  @Test(arguments: ["co2,sunspots", "", "a b"]) func theCommandRefusesWhatNoModelIsCalled(
    name: String
  ) {
    #expect(throws: (any Error).self) {
      try TokenCommand.parse(["alice", "--file", "/nonexistent/t.json", "--models", name])
    }
  }

  /// What the command prints is what the server takes, and nothing else.
  @Test func theCommandAddsTokens() throws {
    let tree = try FileTree([:])
    let path = "\(tree.path)/tokens.json"
    let first = try TokenCommand.parse(["alice", "--file", path])
    try first.run()
    try TokenCommand.parse([
      "bob", "--file", path, "--scopes", "predict", "operate", "--models", "co2",
      "--rate-limit", "2.5", "--concurrency-limit", "4",
    ]).run()
    #expect(throws: CarouselError.duplicateToken(name: "alice", path: path)) { try first.run() }
    let tokens = try TokenFile(path: path).tokens
    #expect(tokens.map(\.name) == ["alice", "bob"])
    #expect(tokens.map(\.scopes) == [[.predict], [.predict, .operate]])
    #expect(tokens.map(\.models) == [nil, ["co2"]])
    #expect(tokens.map(\.limits) == [.init(), .init(rate: 2.5, concurrency: 4)])
    #expect(tokens[0].digest != tokens[1].digest)
  }
}
