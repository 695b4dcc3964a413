import Inference
import Scheduling
import Serving

/// What a `POST /v1/timeseries/forecast` asks: a question of forecasts, and what its series are called.
struct ForecastQuestion: Sendable {
  /// A sequence a series; the horizon is never nil.
  let question: Question
  /// In the order of the request.
  let series: [Series]
  /// The quantiles that are answered, by their places among the model's.
  var quantiles: [Int] = []

  /// What the answer repeats of one series, and when its forecast starts.
  struct Series: Equatable, Sendable {
    let type: SeriesType
    let name: String
    let frequency: Frequency
    /// The time of the forecast's first step; nil where the series has no time either.
    let start: Timestamp?
  }

  /// `TimeSeriesType` in KServe's schema (see `ForecastDecoder`).
  enum SeriesType: String, CaseIterable, Sendable {
    /// A number a step.
    case univariate = "univariate_time_series"
    /// A vector a step.
    case multivariate = "multivariate_time_series"
  }
}
