/// What a path of the service is for. The raw value numbers the endpoint's counters.
enum Endpoint: Int, CaseIterable, Sendable {
  case index, predict, modelPredict, generate, modelGenerate, forecast, models, model, sessions,
    session, livez, readyz, healthz, metrics
  /// Any path that is none of these.
  case unknown

  /// The path as documentation and metrics write it.
  var path: String {
    switch self {
    case .index: "/"
    case .predict: "/predict"
    case .modelPredict: "/models/{name}/predict"
    case .generate: "/generate"
    case .modelGenerate: "/models/{name}/generate"
    case .forecast: "/v1/timeseries/forecast"
    case .models: "/models"
    case .model: "/models/{name}"
    case .sessions: "/models/{name}/sessions"
    case .session: "/models/{name}/sessions/{id}"
    case .livez: "/livez"
    case .readyz: "/readyz"
    case .healthz: "/healthz"
    case .metrics: "/metrics"
    case .unknown: "unknown"
    }
  }

  /// Where its page is made.
  enum PageMaking {
    /// On the loop, at once.
    case onLoop
    /// Elsewhere, for each who asks.
    case forEach
    /// Elsewhere, for all who ask: it depends on nothing but the path.
    case shared
  }

  /// Where its page is made, as far as it is one.
  var pageMaking: PageMaking {
    switch self {
    case .index, .models, .model, .metrics: .shared
    case .sessions: .forEach
    default: .onLoop
    }
  }

  /// The methods that it answers, for `Allow` (RFC 9110 §10.2.1).
  var methods: [String] {
    switch self {
    case .predict, .modelPredict, .generate, .modelGenerate, .forecast: ["POST", "OPTIONS"]
    case .index, .models, .model, .sessions, .livez, .readyz, .healthz, .metrics:
      ["GET", "HEAD", "OPTIONS"]
    case .session: ["GET", "HEAD", "DELETE", "OPTIONS"]
    case .unknown: ["GET", "HEAD", "POST", "DELETE", "OPTIONS"]
    }
  }

  var summary: String {
    switch self {
    case .index: "this list"
    case .predict: #"a prediction of the default model: {"inputs": …}"#
    case .modelPredict: "a prediction of the model of that name"
    case .generate: #"the default model continues a text: {"prompt": …}"#
    case .modelGenerate: "the model of that name continues a text"
    case .forecast: #"forecasts of time series, in KServe's schema: {"model", "inputs", "options"}"#
    case .models: "the models, their inputs and outputs"
    case .model: "one model"
    case .sessions: "the model's sessions, the last used first, for operators"
    case .session: "one session; DELETE ends it"
    case .livez: "200 as long as the process runs"
    case .readyz: "200 when requests are welcome, else 503"
    case .healthz: "the same as /readyz"
    case .metrics: "counters and histograms for Prometheus"
    case .unknown: ""
    }
  }

}

/// A path taken apart: its endpoint, and the names that stand in it.
struct Route: Hashable {
  let endpoint: Endpoint
  var model: String?
  var session: String?

  /// - Parameter path: as the request has it; others that mean the same (`NormalizedPath`) give the same route.
  init(_ path: String) {
    let path = NormalizedPath.text(of: path)
    switch path {
    case "/predict": endpoint = .predict
    case "/generate": endpoint = .generate
    case "/v1/timeseries/forecast": endpoint = .forecast
    case "/": endpoint = .index
    case "/models": endpoint = .models
    case "/livez": endpoint = .livez
    case "/readyz": endpoint = .readyz
    case "/healthz": endpoint = .healthz
    case "/metrics": endpoint = .metrics
    default:
      let parts = path.split(separator: "/", omittingEmptySubsequences: false)
      guard parts.count >= 3, parts[0].isEmpty, parts[1] == "models", !parts[2].isEmpty else {
        endpoint = .unknown
        return
      }
      switch (parts.count, parts.dropFirst(3).first) {
      case (3, _): endpoint = .model
      case (4, "predict"): endpoint = .modelPredict
      case (4, "generate"): endpoint = .modelGenerate
      case (4, "sessions"): endpoint = .sessions
      case (5, "sessions") where !parts[4].isEmpty:
        endpoint = .session
        session = String(parts[4])
      default:
        endpoint = .unknown
        return
      }
      model = String(parts[2])
    }
  }
}
