/// All that can be asked of the service, in the order in which `GET /` lists it.
///
/// A new endpoint is a file with a small struct, which picks what it needs from `ServiceParts`, and a row here.
struct RouteTable: Sendable {
  let parts: ServiceParts

  var rows: [Route] {
    let index = IndexPage(parts)
    let predictions = Predictions(parts)
    let forecasts = Forecasts(parts)
    let generation = Generation(parts)
    let models = ModelPages(parts)
    let sessions = SessionPages(parts)
    let health = HealthPages(parts)
    let metrics = MetricsPage(parts)
    return [
      Route("GET", "/", "this list", .page(.shared) { _ in index.response(of: self.rows) }),
      Route(
        "POST", "/predict", #"a prediction of the default model: {"inputs": …}"#,
        .question { predictions.answer($0) }),
      Route(
        "POST", "/models/{name}/predict", "a prediction of the model of that name",
        .question { predictions.answer($0) }),
      Route(
        "POST", "/generate", #"the default model continues a text: {"prompt": …}"#,
        .question { generation.answer($0) }),
      Route(
        "POST", "/models/{name}/generate", "the model of that name continues a text",
        .question { generation.answer($0) }),
      Route(
        "POST", "/v1/timeseries/forecast",
        #"forecasts of time series, in KServe's schema: {"model", "inputs", "options"}"#,
        errors: { $0.forecastResponse }, .question { forecasts.answer($0) }),
      Route(
        "GET", "/models", "the models, their inputs and outputs",
        .page(.shared) { _ in models.list() }),
      Route("GET", "/models/{name}", "one model", .page(.shared, models.one)),
      Route(
        "GET", "/models/{name}/sessions",
        "the model's sessions, the last used first, for operators", .page(.forEach, sessions.list)),
      Route(
        "GET", "/models/{name}/sessions/{id}", "one session; DELETE ends it",
        .page(.onLoop, sessions.one)),
      Route("DELETE", "/models/{name}/sessions/{id}", nil, .page(.onLoop, sessions.end)),
      Route(
        "GET", "/livez", "200 as long as the process runs", isHealthCheck: true,
        .page(.onLoop) { _ in health.live() }),
      Route(
        "GET", "/readyz", "200 when requests are welcome, else 503", isHealthCheck: true,
        .page(.onLoop) { _ throws(APIError) in try health.ready() }),
      Route(
        "GET", "/healthz", "the same as /readyz", isHealthCheck: true,
        .page(.onLoop) { _ throws(APIError) in try health.ready() }),
      Route(
        "GET", "/metrics", "counters and histograms for Prometheus",
        .page(.shared) { _ in metrics.response() }),
    ]
  }
}
