import Cryptography
import HTTPCore
import Serving
import Synchronization
import TestSupport
import Testing

@testable import API

/// Who may ask what, by tokens.
@Suite struct AccessTests {
  private static let operatorKey = "sixteen bytes or"

  private static func token(
    _ text: String, _ scopes: Set<AccessToken.Scope>, models: Set<String>? = nil
  ) -> AccessToken {
    let bytes = Array(text.utf8)
    return AccessToken(
      name: "\(text)'s", digest: Digest.hash(bytes.span), scopes: scopes, models: models)
  }

  private func service(_ tokens: [AccessToken]? = standard, metricsAreOpen: Bool = true) throws
    -> Service
  {
    var settings = ServiceSettings()
    settings.operatorKey = Array(Self.operatorKey.utf8)
    settings.tokens = tokens.map { TokenTable($0) }
    settings.metricsAreForOperators = !metricsAreOpen
    return try Service.make(
      TestModels.echo(size: 1), SmallModels.forecaster(.bidirectional), settings: settings)
  }

  private static let standard = [
    token("user", [.predict]), token("both", [.predict, .operate]), token("ops", [.operate]),
    token("small", [.predict], models: ["small"]), token("none", []),
  ]

  private func ask(
    _ service: Service, _ method: String, _ path: String, token: String?, body: String = ""
  ) async -> HTTPResponse {
    await withCheckedContinuation { continuation in
      var request = HTTPRequest(method: method, path: path, body: Array(body.utf8))
      if let token { request.fields.append("authorization", "Bearer \(token)") }
      service.handle(
        HTTPExchange(request: request, deliver: { continuation.resume(returning: $0) }))
    }
  }

  private static let predict = #"{"inputs":[1,2]}"#

  @Test(arguments: [
    (nil, 401, 401, 401), ("", 401, 401, 401), ("wrong", 401, 401, 401),
    ("user", 200, 200, 403), ("both", 200, 200, 200), ("ops", 403, 403, 200),
    ("none", 403, 403, 403), (operatorKey, 200, 200, 200),
  ])
  func scopes(token: String?, predict: Int, models: Int, sessions: Int) async throws {
    let service = try service()
    let answer = await ask(service, "POST", "/predict", token: token, body: Self.predict)
    #expect(answer.status.code == predict)
    #expect(await ask(service, "GET", "/models", token: token).status.code == models)
    #expect(
      await ask(service, "GET", "/models/echo/sessions", token: token).status.code == sessions)
    for path in ["/livez", "/readyz", "/healthz", "/metrics", "/"] {
      #expect(await ask(service, "GET", path, token: token).status.code != 401)
      #expect(await ask(service, "GET", path, token: token).status.code != 403)
    }
  }

  /// RFC 9110 §11.4 allows several spaces, and one field.
  @Test(arguments: [
    (["Bearer user"], 200), (["bearer   user"], 200), (["Bearer user", "Bearer user"], 400),
    (["Basic user"], 401),
  ])
  func formsOfTheField(values: [String], status: Int) async throws {
    let service = try service()
    let found = await withCheckedContinuation { continuation in
      var request = HTTPRequest(method: "GET", path: "/models")
      for value in values { request.fields.append("authorization", value) }
      service.handle(
        HTTPExchange(request: request, deliver: { continuation.resume(returning: $0) }))
    }
    #expect(found.status.code == status)
  }

  @Test func refusalsSayWhatIsMissing() async throws {
    let service = try service()
    let expected = [
      (
        nil, "Bearer",
        "found no token, expected authorization: Bearer and a token with the scope predict"
      ),
      (
        "wrong", #"Bearer error="invalid_token""#,
        "the token of authorization is not known, expected one with the scope predict"
      ),
      (
        "ops", #"Bearer error="insufficient_scope", scope="predict""#,
        #"the token "ops's" has not the scope predict, which this needs"#
      ),
    ]
    for (token, challenge, sentence) in expected {
      let answer = await ask(service, "POST", "/predict", token: token, body: Self.predict)
      #expect(answer.fields["www-authenticate"] == challenge)
      #expect(
        String(decoding: answer.body, as: UTF8.self).contains(
          sentence.replacing("\"", with: "\\\"")))
    }
  }

  /// In the path, in the body, by default: what a token is not for it does not get.
  @Test func aTokenMayBeForSomeModels() async throws {
    let service = try service()
    for path in ["/predict", "/models/echo/predict", "/models/none/predict"] {
      let answer = await ask(service, "POST", path, token: "small", body: Self.predict)
      #expect(answer.status == .forbidden)
    }
    // Where the path names the model, no body is read before that.
    let answer = await ask(service, "POST", "/models/echo/predict", token: "small", body: "[")
    #expect(answer.status == .forbidden)
    let named = #"{"model":"echo","inputs":[1,2]}"#
    #expect(
      await ask(service, "POST", "/predict", token: "small", body: named).status == .forbidden)
    #expect(
      await ask(service, "POST", "/generate", token: "small", body: #"{"prompt":[1]}"#).status
        == .forbidden)
    #expect(
      await ask(service, "GET", "/models/echo/sessions/x", token: "small").status == .forbidden)
    #expect(
      await ask(service, "POST", "/models/small/predict", token: "small", body: Self.predict)
        .status == .ok)
    #expect(await ask(service, "GET", "/models/echo", token: "small").status == .forbidden)
    #expect(await ask(service, "GET", "/models/small", token: "small").status == .ok)
  }

  /// Also of requests that wait for the list at the same time.
  @Test func theListHasTheModelsOfTheToken() async throws {
    let service = try service()
    let lists = await withTaskGroup(of: (String, [String]).self) { group in
      for token in Array(repeating: ["small", "user", Self.operatorKey], count: 8).joined() {
        group.addTask {
          let page = await ask(service, "GET", "/models", token: token)
          let names = String(decoding: page.body, as: UTF8.self)
            .matches(of: /{"name":"(\w+)","version"/).map { String($0.1) }
          return (token, names)
        }
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
    for (token, names) in lists {
      #expect(names == (token == "small" ? ["small"] : ["echo", "small"]))
    }
  }

  /// Whoever has a token may ask what it is for.
  @Test func everyTokenIsToldOfItself() async throws {
    let service = try service()
    for token in ["user", "ops", "small", "none", Self.operatorKey] {
      #expect(await ask(service, "GET", "/whoami", token: token).status == .ok)
    }
    for token in [nil, "wrong"] {
      let page = await ask(service, "GET", "/whoami", token: token)
      #expect(page.status == .unauthorized)
      #expect(!String(decoding: page.body, as: UTF8.self).contains("scope"))
    }
  }

  @Test func metricsMayBeForOperators() async throws {
    let service = try service(metricsAreOpen: false)
    #expect(await ask(service, "GET", "/metrics", token: nil).status == .unauthorized)
    #expect(await ask(service, "GET", "/metrics", token: "user").status == .forbidden)
    #expect(await ask(service, "GET", "/metrics", token: "ops").status == .ok)
  }

  @Test func tokensAreReplaced() async throws {
    let service = try service()
    service.replaceTokens(by: TokenTable([Self.token("new", [.predict])]))
    #expect(
      await ask(service, "POST", "/predict", token: "user", body: Self.predict).status
        == .unauthorized)
    #expect(
      await ask(service, "POST", "/predict", token: "new", body: Self.predict).status == .ok)
  }

  private final class Replacement: Sendable {
    let isDone = Atomic(false)
  }

  /// Whoever has been refused once with the old one, or let in once with the new one, always is.
  @Test func tokensAreReplacedUnderLoad() async throws {
    let service = try service()
    let replacement = Replacement()
    let statuses = await withTaskGroup(of: (token: String, statuses: [Int]).self) { group in
      for token in ["user", "new", "user", "new"] {
        group.addTask {
          var statuses: [Int] = []
          var rest = 20
          while rest > 0 {
            // Refusals come at once, so that without this nobody else would have a turn.
            await Task.yield()
            if replacement.isDone.load(ordering: .acquiring) { rest -= 1 }
            statuses.append(
              await ask(service, "POST", "/predict", token: token, body: Self.predict).status.code)
          }
          return (token, statuses)
        }
      }
      group.addTask {
        for _ in 0..<50 {
          _ = await ask(service, "POST", "/predict", token: "both", body: Self.predict)
        }
        service.replaceTokens(by: TokenTable([Self.token("new", [.predict])]))
        replacement.isDone.store(true, ordering: .releasing)
        return ("", [])
      }
      var all: [(token: String, statuses: [Int])] = []
      for await found in group where !found.token.isEmpty { all.append(found) }
      return all
    }
    for (token, statuses) in statuses {
      let (before, after) = token == "user" ? (200, 401) : (401, 200)
      #expect(Set(statuses).isSubset(of: [before, after]))
      #expect(statuses.suffix(20).allSatisfy { $0 == after })
      #expect(!statuses.drop { $0 == before }.contains(before))
    }
  }

  /// Without tokens everybody may ask, whatever they show.
  @Test func withoutTokensAllIsOpen() async throws {
    let service = try service(nil)
    for token in [nil, "wrong"] {
      #expect(
        await ask(service, "POST", "/predict", token: token, body: Self.predict).status == .ok)
    }
  }
}
