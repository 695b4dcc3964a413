import Testing

@testable import API

@Suite struct EndpointTests {
  @Test(
    arguments: [
      ("/", .index, nil), ("/predict", .predict, nil), ("/models", .models, nil),
      ("/models/co2", .model, "co2"), ("/models/co2/predict", .modelPredict, "co2"),
      ("/models/co2/sessions", .sessions, "co2"), ("/models/sessions", .model, "sessions"),
      ("/v1/timeseries/forecast", .forecast, nil), ("/v1/timeseries/forecast/", .forecast, nil),
      ("/v1/timeseries", .unknown, nil), ("/generate", .generate, nil),
      ("/models/kjv/generate", .modelGenerate, "kjv"), ("/generate/", .generate, nil),
      ("/models/predict", .model, "predict"), ("/livez", .livez, nil), ("/readyz", .readyz, nil),
      ("/healthz", .healthz, nil), ("/metrics", .metrics, nil), ("", .unknown, nil),
      ("*", .unknown, nil), ("/models/", .models, nil), ("/models//predict", .unknown, nil),
      ("/models/a/b", .unknown, nil), ("/models/a/predict/", .modelPredict, "a"),
      ("/predict/", .predict, nil), ("/PREDICT", .unknown, nil), ("models/a", .unknown, nil),
      ("/models/a/sessions/", .sessions, "a"), ("/models//sessions", .unknown, nil),
      ("/models//sessions/s", .unknown, nil), ("/models/a/sessions/s//", .unknown, nil),
      ("/models/co%32", .model, "co2"), ("/%6Dodels/a", .model, "a"), ("//models", .unknown, nil),
      ("/models/a%2Fpredict", .model, "a%2Fpredict"), ("/models/a%2fb", .model, "a%2Fb"),
      ("/models/../predict", .predict, nil), ("/%2E%2e/models/./a", .model, "a"),
      ("/models/a/..", .models, nil), ("/../..", .index, nil), ("/models/%zz", .unknown, nil),
      ("/models/a%", .unknown, nil), ("/models/a%4", .unknown, nil),
      ("/models/a/sessions/s/t", .unknown, nil), ("/models/a/Sessions", .unknown, nil),
      ("/models/a/predict/s", .unknown, nil), ("/x/a/sessions/s", .unknown, nil),
      ("/sessions", .unknown, nil), ("/sessions/s", .unknown, nil),
    ] as [(String, Endpoint, String?)])
  func finds(path: String, endpoint: Endpoint, model: String?) {
    let found = Route(path)
    #expect(found.endpoint == endpoint)
    #expect(found.model == model)
    #expect(found.session == nil)
  }

  @Test(arguments: [
    ("/models/co2/sessions/s", "co2", "s"), ("/models/co2/sessions/predict", "co2", "predict"),
    ("/models/sessions/sessions/sessions", "sessions", "sessions"),
    ("/models/a/sessions/%41", "a", "A"), ("/models/a/sessions/s/", "a", "s"),
    ("/models/a/sessions/a%2Db%3ac", "a", "a-b%3Ac"), ("/models/a/sessions/a:b~c", "a", "a:b~c"),
  ])
  func findsASession(path: String, model: String, session: String) {
    let found = Route(path)
    #expect(found.endpoint == .session)
    #expect(found.model == model)
    #expect(found.session == session)
  }
}
