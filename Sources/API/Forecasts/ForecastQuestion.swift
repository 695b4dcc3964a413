import Inference
import Scheduling
import Serving

/// The content of a `POST /v1/timeseries/forecast`: a question with a horizon, and a description of each series.
struct ForecastQuestion: Sendable {
  /// One sequence for each series; the horizon is never nil.
  let question: Question
  /// One for each sequence, in the order of the request.
  let series: [Series]
  /// The quantiles to answer, as indices into the model's quantiles.
  var quantiles: [Int] = []

  /// What the answer repeats of a series, and when its forecast starts.
  struct Series: Equatable, Sendable {
    let type: SeriesType
    let name: String
    let frequency: Frequency
    /// The time of the forecast's first step; nil where the series has no time.
    let start: Timestamp?
  }

  /// `TimeSeriesType` in KServe's schema (see `ForecastDecoder`).
  enum SeriesType: String, CaseIterable, Sendable {
    /// One number per step.
    case univariate = "univariate_time_series"
    /// A vector per step.
    case multivariate = "multivariate_time_series"
  }
}
