import Testing

@testable import API

@Suite struct EndpointTests {
  @Test(
    arguments: [
      ("/", .index, nil), ("/predict", .predict, nil), ("/models", .models, nil),
      ("/models/co2", .model, "co2"), ("/models/co2/predict", .modelPredict, "co2"),
      ("/models/predict", .model, "predict"), ("/livez", .livez, nil), ("/readyz", .readyz, nil),
      ("/healthz", .healthz, nil), ("/metrics", .metrics, nil),
      ("/v1/timeseries/forecast", .forecast, nil), ("/v1/timeseries/forecast/", .unknown, nil),
      ("/v1/timeseries", .unknown, nil), ("", .unknown, nil),
      ("*", .unknown, nil), ("/models/", .unknown, nil), ("/models//predict", .unknown, nil),
      ("/models/a/b", .unknown, nil), ("/models/a/predict/", .unknown, nil),
      ("/predict/", .unknown, nil), ("/PREDICT", .unknown, nil), ("models/a", .unknown, nil),
    ] as [(String, Endpoint, String?)])
  func finds(path: String, endpoint: Endpoint, model: String?) {
    let found = Endpoint.find(path)
    #expect(found.endpoint == endpoint)
    #expect(found.model == model)
  }
}
