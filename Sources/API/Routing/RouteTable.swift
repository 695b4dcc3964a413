import Serving

/// All routes of the service except `GET /`, which lists them in this order.
///
/// A new endpoint is a file with a small struct, which picks what it needs from `ServiceParts`, and a row here.
struct RouteTable: Sendable {
  let parts: ServiceParts

  var rows: [Route] {
    let predictions = Predictions(parts)
    let forecasts = Forecasts(parts)
    let generation = Generation(parts)
    let models = ModelPages(parts)
    let sessions = SessionPages(parts)
    let health = HealthPages(parts)
    let metrics = MetricsPage(parts)
    return [
      Route(
        "POST", "/predict", #"a prediction of the default model: {"inputs": …}"#, access: .predict,
        bodyLimit: .setting,
        .question { predictions.answer($0) }),
      Route(
        "POST", "/models/{name}/predict", "a prediction of the model of that name",
        access: .predict,
        bodyLimit: .setting,
        .question { predictions.answer($0) }),
      Route(
        "POST", "/generate", #"the default model continues a text: {"prompt": …}"#,
        access: .predict, bodyLimit: .setting,
        .question { generation.answer($0) }),
      Route(
        "POST", "/models/{name}/generate", "the model of that name continues a text",
        access: .predict,
        bodyLimit: .setting,
        .question { generation.answer($0) }),
      Route(
        "POST", "/v1/timeseries/forecast",
        #"forecasts of time series, in KServe's schema: {"model", "inputs", "options"}"#,
        access: .predict, bodyLimit: .setting, errors: ForecastErrorEncoder.response,
        .question { forecasts.answer($0) }),
      Route(
        "GET", "/models", "the models, their inputs and outputs", access: .predict,
        .page(.shared, models.list)),
      Route("GET", "/models/{name}", "one model", access: .predict, .page(.shared, models.one)),
      Route(
        "GET", "/models/{name}/sessions",
        "the model's sessions, the last used first, for operators", access: .operate,
        .laterPage { sessions.list($0, completion: $1) }),
      Route(
        "GET", "/models/{name}/sessions/{id}", "one session; DELETE ends it", access: .predict,
        .laterPage { sessions.one($0, completion: $1) }),
      Route(
        "DELETE", "/models/{name}/sessions/{id}", nil, access: .predict,
        .laterPage { sessions.end($0, completion: $1) }),
      Route(
        "GET", "/whoami", "what the server takes you for: address, token, limits", access: .known,
        .page(.onLoop) { [client = ClientPage(parts)] in client.response(to: $0) }),
      Route(
        "GET", "/livez", "200 as long as the process runs", access: .open, isHealthCheck: true,
        .page(.onLoop) { _ in health.live() }),
      Route(
        "GET", "/readyz", "200 when requests are welcome, else 503", access: .open,
        isHealthCheck: true,
        .page(.onLoop) { _ throws(Fault) in try health.ready() }),
      Route(
        "GET", "/healthz", "the same as /readyz", access: .open, isHealthCheck: true,
        .page(.onLoop) { _ throws(Fault) in try health.ready() }),
      Route(
        "GET", "/metrics", "counters and histograms for Prometheus",
        access: parts.settings.metricsAreForOperators ? .operate : .open,
        .page(.shared) { _ in metrics.response() }),
    ]
  }
}
