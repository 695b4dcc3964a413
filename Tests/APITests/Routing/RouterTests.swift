import Testing

@testable import API

@Suite struct RouterTests {
  private let router: Router

  init() throws {
    let parts = try Service.make(TestModels.echo()).parts
    let rows = RouteTable(parts: parts).rows
    router = Router(
      [IndexPage.route(listing: rows, of: parts)] + rows, metrics: Metrics())
  }

  @Test(
    arguments: [
      ("/", "/", nil), ("/predict", "/predict", nil), ("/models", "/models", nil),
      ("/models/co2", "/models/{name}", "co2"),
      ("/models/co2/predict", "/models/{name}/predict", "co2"),
      ("/models/co2/sessions", "/models/{name}/sessions", "co2"),
      ("/models/sessions", "/models/{name}", "sessions"),
      ("/v1/timeseries/forecast", "/v1/timeseries/forecast", nil),
      ("/v1/timeseries/forecast/", "/v1/timeseries/forecast", nil),
      ("/v1/timeseries", "unknown", nil), ("/generate", "/generate", nil),
      ("/models/kjv/generate", "/models/{name}/generate", "kjv"), ("/generate/", "/generate", nil),
      ("/models/predict", "/models/{name}", "predict"), ("/livez", "/livez", nil),
      ("/readyz", "/readyz", nil),
      ("/healthz", "/healthz", nil), ("/metrics", "/metrics", nil), ("", "unknown", nil),
      ("*", "unknown", nil), ("/models/", "/models", nil), ("/models//predict", "unknown", nil),
      ("/models/a/b", "unknown", nil), ("/models/a/predict/", "/models/{name}/predict", "a"),
      ("/predict/", "/predict", nil), ("/PREDICT", "unknown", nil), ("models/a", "unknown", nil),
      ("/models/a/sessions/", "/models/{name}/sessions", "a"),
      ("/models//sessions", "unknown", nil),
      ("/models//sessions/s", "unknown", nil), ("/models/a/sessions/s//", "unknown", nil),
      ("/models/co%32", "/models/{name}", "co2"), ("/%6Dodels/a", "/models/{name}", "a"),
      ("//models", "unknown", nil),
      ("/models/a%2Fpredict", "/models/{name}", "a%2Fpredict"),
      ("/models/a%2fb", "/models/{name}", "a%2Fb"),
      ("/models/../predict", "/predict", nil), ("/%2E%2e/models/./a", "/models/{name}", "a"),
      ("/models/a/..", "/models", nil), ("/../..", "/", nil), ("/models/%zz", "unknown", nil),
      ("/models/a%", "unknown", nil), ("/models/a%4", "unknown", nil),
      ("/models/a/sessions/s/t", "unknown", nil), ("/models/a/Sessions", "unknown", nil),
      ("/models/a/predict/s", "unknown", nil), ("/x/a/sessions/s", "unknown", nil),
      ("/sessions", "unknown", nil), ("/sessions/s", "unknown", nil),
    ] as [(String, String, String?)])
  func finds(path: String, endpoint: String, model: String?) {
    let (found, matched) = router.match(path)
    #expect(found.counters.label == endpoint)
    #expect(matched.pattern == endpoint)
    #expect(matched["name"] == model)
    #expect(matched["id"] == nil)
  }

  @Test(arguments: [
    ("/models/co2/sessions/s", "co2", "s"), ("/models/co2/sessions/predict", "co2", "predict"),
    ("/models/sessions/sessions/sessions", "sessions", "sessions"),
    ("/models/a/sessions/%41", "a", "A"), ("/models/a/sessions/s/", "a", "s"),
    ("/models/a/sessions/a%2Db%3ac", "a", "a-b%3Ac"), ("/models/a/sessions/a:b~c", "a", "a:b~c"),
  ])
  func findsASession(path: String, model: String, session: String) {
    let (found, matched) = router.match(path)
    #expect(found.counters.label == "/models/{name}/sessions/{id}")
    #expect(matched["name"] == model)
    #expect(matched["id"] == session)
  }

  /// What a path answers follows from its rows, whichever methods these have.
  @Test(
    arguments: [
      ("/", ["GET", "HEAD", "OPTIONS"]), ("/predict", ["POST", "OPTIONS"]),
      ("/models/a/sessions/s", ["GET", "HEAD", "DELETE", "OPTIONS"]),
      ("*", ["GET", "HEAD", "POST", "DELETE", "OPTIONS"]),
    ] as [(String, [String])]) func allows(path: String, methods: [String])
  {
    #expect(router.match(path).endpoint.methods == methods)
  }

  /// Every row answers each of its methods, and its path no other one.
  @Test func rowsAnswerTheirMethods() {
    for endpoint in router.endpoints {
      for method in ["GET", "HEAD", "POST", "PUT", "DELETE"] {
        #expect((endpoint.route(for: method) != nil) == endpoint.methods.contains(method))
      }
      #expect(endpoint.routes.first?.summary != nil, "GET / lists every path")
    }
  }
}
