import Testing

@testable import API

@Suite struct EndpointTests {
  @Test(
    arguments: [
      ("/", .index, nil), ("/predict", .predict, nil), ("/models", .models, nil),
      ("/models/co2", .model, "co2"), ("/models/co2/predict", .modelPredict, "co2"),
      ("/models/co2/sessions", .sessions, "co2"), ("/models/sessions", .model, "sessions"),
      ("/models/predict", .model, "predict"), ("/livez", .livez, nil), ("/readyz", .readyz, nil),
      ("/healthz", .healthz, nil), ("/metrics", .metrics, nil), ("", .unknown, nil),
      ("*", .unknown, nil), ("/models/", .unknown, nil), ("/models//predict", .unknown, nil),
      ("/models/a/b", .unknown, nil), ("/models/a/predict/", .unknown, nil),
      ("/predict/", .unknown, nil), ("/PREDICT", .unknown, nil), ("models/a", .unknown, nil),
      ("/models/a/sessions/", .unknown, nil), ("/models//sessions", .unknown, nil),
      ("/models//sessions/s", .unknown, nil), ("/models/a/sessions/s/", .unknown, nil),
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
    ("/models/a/sessions/%41", "a", "%41"), ("/models/a/sessions/a:b~c", "a", "a:b~c"),
  ])
  func findsASession(path: String, model: String, session: String) {
    let found = Route(path)
    #expect(found.endpoint == .session)
    #expect(found.model == model)
    #expect(found.session == session)
  }
}
