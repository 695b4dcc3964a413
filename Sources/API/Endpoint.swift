/// What a path of the service is for. The raw value numbers the endpoint's counters.
enum Endpoint: Int, CaseIterable, Sendable {
  case index, predict, modelPredict, forecast, models, model, livez, readyz, healthz, metrics
  /// Any path that is none of these.
  case unknown

  /// The path as documentation and metrics write it.
  var path: String {
    switch self {
    case .index: "/"
    case .predict: "/predict"
    case .modelPredict: "/models/{name}/predict"
    case .forecast: "/v1/timeseries/forecast"
    case .models: "/models"
    case .model: "/models/{name}"
    case .livez: "/livez"
    case .readyz: "/readyz"
    case .healthz: "/healthz"
    case .metrics: "/metrics"
    case .unknown: "unknown"
    }
  }

  /// The methods that it answers, for `Allow` (RFC 9110 §10.2.1).
  var methods: [String] {
    switch self {
    case .predict, .modelPredict, .forecast: ["POST", "OPTIONS"]
    case .index, .models, .model, .livez, .readyz, .healthz, .metrics: ["GET", "HEAD", "OPTIONS"]
    case .unknown: ["GET", "HEAD", "POST", "OPTIONS"]
    }
  }

  var summary: String {
    switch self {
    case .index: "this list"
    case .predict: #"a prediction of the default model: {"inputs": …}"#
    case .modelPredict: "a prediction of the model of that name"
    case .forecast: #"forecasts of time series, in KServe's schema: {"model", "inputs", "options"}"#
    case .models: "the models, their inputs and outputs"
    case .model: "one model"
    case .livez: "200 as long as the process runs"
    case .readyz: "200 when requests are welcome, else 503"
    case .healthz: "the same as /readyz"
    case .metrics: "counters and histograms for Prometheus"
    case .unknown: ""
    }
  }

  /// Finds the endpoint of a path, and the model's name that stands in it.
  static func find(_ path: String) -> (endpoint: Endpoint, model: String?) {
    switch path {
    case "/predict": return (.predict, nil)
    case "/v1/timeseries/forecast": return (.forecast, nil)
    case "/": return (.index, nil)
    case "/models": return (.models, nil)
    case "/livez": return (.livez, nil)
    case "/readyz": return (.readyz, nil)
    case "/healthz": return (.healthz, nil)
    case "/metrics": return (.metrics, nil)
    default: break
    }
    let parts = path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count >= 3, parts[0].isEmpty, parts[1] == "models", !parts[2].isEmpty else {
      return (.unknown, nil)
    }
    if parts.count == 3 { return (.model, String(parts[2])) }
    if parts.count == 4, parts[3] == "predict" { return (.modelPredict, String(parts[2])) }
    return (.unknown, nil)
  }
}
