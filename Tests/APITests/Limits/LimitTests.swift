import Cryptography
import HTTPCore
import Serving
import TestSupport
import Testing

@testable import API

/// Limits of clients and origins, as requests meet them.
@Suite struct LimitTests {
  private static func token(
    _ text: String, _ limits: RequestLimits.Exceptions = .init()
  ) -> AccessToken {
    let bytes = Array(text.utf8)
    return AccessToken(
      name: text, digest: Digest.hash(bytes.span), scopes: [.predict], limits: limits)
  }

  private func service(
    _ limits: RequestLimits = RequestLimits(), tokens: [AccessToken]? = nil,
    origins: CrossOrigins = .none
  ) throws -> Service {
    var settings = ServiceSettings()
    settings.clients = limits
    settings.tokens = tokens.map { TokenTable($0) }
    settings.origins = origins
    return try Service.make(TestModels.echo(size: 1), settings: settings)
  }

  private struct Answer {
    let reception: Reception
    let response: HTTPResponse
    var status: Int { response.status.code }
    var text: String { String(decoding: response.body, as: UTF8.self) }
  }

  /// Asks as a server does: by the head, and once the body is there.
  private func ask(
    _ service: Service, _ method: String, _ path: String, fields: HTTPFields = HTTPFields(),
    token: String? = nil, from address: String = "192.0.2.1", body: String = ""
  ) async throws -> Answer {
    var request = HTTPRequest(method: method, path: path, fields: fields, body: Array(body.utf8))
    if let token { request.fields.append("authorization", "Bearer \(token)") }
    let peer = HTTPPeer(address: try #require(PeerAddress(address)))
    let reception = service.application.receive(request, peer)
    let response = await withCheckedContinuation { continuation in
      reception.answer(
        HTTPExchange(request: request, deliver: { continuation.resume(returning: $0) }))
    }
    return Answer(reception: reception, response: response)
  }

  private static let inputs = #"{"inputs":[1,2]}"#

  private func predict(
    _ service: Service, token: String? = nil, from address: String = "192.0.2.1"
  ) async throws -> Answer {
    try await ask(service, "POST", "/predict", token: token, from: address, body: Self.inputs)
  }

  @Test func whoAsksTooOftenIsToldWhenToComeBack() async throws {
    let service = try service(RequestLimits(rate: 0.001, burst: 2))
    for _ in 0..<2 { #expect(try await predict(service).status == 200) }
    let answer = try await predict(service)
    #expect(answer.status == 429)
    // By its head: the body is not read.
    #expect(answer.reception.body == .unwanted)
    let seconds = try #require(answer.response.fields["retry-after"].flatMap { Int($0) })
    #expect((500...1000).contains(seconds))
    #expect(
      answer.text.hasPrefix(
        #"{"error":"the address 192.0.2.1 has sent more requests than rate_limit allows: 0.001 a second, 2 at once","limit":{"name":"rate_limit","per_second":0.001,"burst":2,"retry_after_ms":"#
      ))
    #expect(try await predict(service, from: "192.0.2.2").status == 200)
  }

  /// Nobody restarts a server for being asked often; all else has a rate, what is not there too.
  @Test func healthChecksAreExempt() async throws {
    let service = try service(RequestLimits(rate: 0.001, burst: 3))
    #expect(try await ask(service, "GET", "/nowhere").status == 404)
    #expect(try await ask(service, "OPTIONS", "/predict").status == 200)
    #expect(try await ask(service, "PUT", "/predict").status == 405)
    for (method, path) in [
      ("GET", "/nowhere"), ("OPTIONS", "/predict"), ("PUT", "/predict"), ("GET", "/metrics"),
      ("GET", "/"), ("GET", "/models"),
    ] { #expect(try await ask(service, method, path).status == 429) }
    for path in ["/livez", "/readyz", "/healthz"] {
      #expect(try await ask(service, "GET", path).status == 200)
    }
    let metrics = try await ask(service, "GET", "/metrics", from: "::1").text
    #expect(metrics.contains("carousel_limited_requests_total{limit=\"rate_limit\"} 6\n"))
    #expect(metrics.contains("carousel_clients 2\n"))
  }

  /// A token is one client from all addresses; whoever guesses at one is an address.
  @Test func tokensAndThoseWithout() async throws {
    let service = try service(
      RequestLimits(rate: 0.001, burst: 1),
      tokens: [
        Self.token("a"), Self.token("b", .init(rate: 0)),
        Self.token("c", .init(rate: 0.001, burst: 2)),
      ])
    #expect(try await predict(service, token: "a").status == 200)
    let answer = try await predict(service, token: "a", from: "192.0.2.2")
    #expect(answer.status == 429)
    #expect(answer.text.contains(#"the token \"a\" has sent"#))
    for _ in 0..<10 { #expect(try await predict(service, token: "b").status == 200) }
    for expected in [200, 200, 429] {
      #expect(try await predict(service, token: "c").status == expected)
    }
    #expect(try await predict(service, token: "guess").status == 401)
    #expect(try await predict(service, token: "guess").status == 429)
    #expect(try await predict(service).status == 429)
    #expect(try await predict(service, from: "192.0.2.2").status == 401)
  }

  @Test func requestsUnderWayAreCounted() async throws {
    let service = try service(RequestLimits(concurrency: 1))
    let peer = HTTPPeer(address: try #require(PeerAddress("192.0.2.1")))
    let head = HTTPRequest(method: "POST", path: "/predict")
    // One whose body has yet to come.
    var reception: Reception? = service.application.receive(head, peer)
    #expect(reception?.body != .unwanted)
    let answer = try await predict(service)
    #expect(answer.status == 429)
    #expect(answer.response.fields["retry-after"] == nil)
    #expect(
      answer.text
        == #"{"error":"the address 192.0.2.1 has as many requests under way as concurrency_limit allows, 1","limit":{"name":"concurrency_limit","requests":1}}"#
        + "\n")
    #expect(try await predict(service, from: "192.0.2.2").status == 200)
    // It never comes.
    reception = nil
    // Whoever has an answer may ask again at once, whatever it was.
    for _ in 0..<50 { #expect(try await predict(service).status == 200) }
    for _ in 0..<3 {
      #expect(try await ask(service, "GET", "/").status == 200)
      #expect(try await ask(service, "GET", "/models").status == 200)
      #expect(try await ask(service, "POST", "/predict", body: "[").status == 400)
      #expect(try await ask(service, "GET", "/nowhere").status == 404)
    }
  }

  // MARK: Origins

  private static let some = CrossOrigins.some(
    Set(
      ["https://a.example", "HTTPS://B.example:443", "http://localhost:3000"].compactMap {
        WebOrigin($0)
      }))

  @Test func withoutOriginsNothingIsSaid() async throws {
    let service = try service()
    let fields: HTTPFields = [
      "origin": "https://a.example", "access-control-request-method": "POST",
    ]
    for (method, path) in [("POST", "/predict"), ("OPTIONS", "/predict"), ("GET", "/x")] {
      let answer = try await ask(service, method, path, fields: fields)
      #expect(answer.reception.fields.all.isEmpty)
      #expect(!answer.response.fields.all.contains { $0.name.hasPrefix("access-control") })
    }
  }

  @Test(arguments: [
    ("https://a.example", true), ("https://b.example", true), ("http://localhost:3000", true),
    ("http://a.example", false), ("https://a.example:8443", false),
    ("https://a.example.org", false),
    ("https://xa.example", false), ("null", false), ("", false), (nil, false),
  ])
  func originsAreThoseOfTheList(origin: String?, isOf: Bool) async throws {
    let service = try service(origins: Self.some)
    var fields = HTTPFields()
    if let origin { fields.append("origin", origin) }
    // Errors too, and what is refused by its head.
    for (path, body) in [("/predict", Self.inputs), ("/predict", "["), ("/nowhere", "")] {
      let answer = try await ask(service, "POST", path, fields: fields, body: body)
      let found = answer.reception.fields
      #expect(found["access-control-allow-origin"] == (isOf ? origin : nil))
      #expect((found["access-control-expose-headers"] != nil) == isOf)
      #expect(found["access-control-allow-credentials"] == nil)
      #expect(found["vary"] == "origin")
    }
  }

  @Test func anyOrigin() async throws {
    let service = try service(origins: .all)
    let answer = try await ask(service, "GET", "/models", fields: ["origin": "null"])
    #expect(answer.reception.fields["access-control-allow-origin"] == "*")
    #expect(answer.reception.fields["vary"] == nil)
    #expect(try await ask(service, "GET", "/models").reception.fields.all.isEmpty)
  }

  /// A preflight has no token, so that it would count towards an address that many browsers share.
  @Test func preflightsHaveNoRate() async throws {
    let service = try service(RequestLimits(rate: 0.001, burst: 1), origins: Self.some)
    var fields: HTTPFields = [
      "origin": "https://a.example", "access-control-request-method": "POST",
    ]
    for _ in 0..<3 {
      #expect(try await ask(service, "OPTIONS", "/predict", fields: fields).status == 200)
    }
    fields["origin"] = "https://c.example"
    #expect(try await ask(service, "OPTIONS", "/predict", fields: fields).status == 200)
    #expect(try await ask(service, "OPTIONS", "/predict", fields: fields).status == 429)
  }

  /// Browsers ask without a token, and whether one is needed.
  @Test(arguments: [
    ("/predict", "POST, OPTIONS"), ("/models/echo/sessions/x", "GET, HEAD, DELETE, OPTIONS"),
    ("/models", "GET, HEAD, OPTIONS"),
  ])
  func preflights(path: String, methods: String) async throws {
    let service = try service(tokens: [Self.token("a")], origins: Self.some)
    let fields: HTTPFields = [
      "origin": "https://a.example", "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type",
    ]
    let answer = try await ask(service, "OPTIONS", path, fields: fields)
    #expect(answer.status == 200)
    #expect(answer.reception.fields["access-control-allow-origin"] == "https://a.example")
    #expect(answer.response.fields["access-control-allow-methods"] == methods)
    #expect(answer.response.fields["allow"] == methods)
    #expect(answer.response.fields["access-control-max-age"] == "7200")
    let allowed = try #require(answer.response.fields["access-control-allow-headers"])
    #expect(allowed.contains("authorization") && allowed.contains("content-type"))
    // Another origin is told nothing.
    var others = fields
    others["origin"] = "https://c.example"
    let other = try await ask(service, "OPTIONS", path, fields: others)
    #expect(!other.response.fields.all.contains { $0.name.hasPrefix("access-control") })
  }
}
