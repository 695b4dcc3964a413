import Serving

/// Why a request for a forecast is refused. Cases carry facts; `sentence` words them.
enum ForecastError: Error, Equatable, Sendable {
  /// The model does not forecast time series; the `known` models do.
  case noTimeSeries(model: String, ForecastGap, known: [String])
  case noQuantiles(path: String, model: String, found: Int)
  /// The model does not forecast this quantile, only the `known` ones.
  case noQuantile(path: String, model: String, found: Double, known: [String])
  /// The forecast would start later than a timestamp can express.
  case afterLastYear(path: String)
}

extension ForecastError: FaultSource {
  var kind: Fault.Kind { .badRequest }

  var parameter: String? {
    switch self {
    case .noTimeSeries: "model"
    case .noQuantiles(let path, _, _), .noQuantile(let path, _, _, _), .afterLastYear(let path):
      path
    }
  }

  var sentence: String {
    switch self {
    case .noTimeSeries(let model, let gap, let known):
      "model: \(quoted(model)) does not forecast its own input, "
        + (known.isEmpty ? "and no model here does" : "expected \(list(known, "or"))")
        + ": \(gap.phrase)"
    case .noQuantiles(let path, let model, let found):
      "\(path): found \(arrayOfNumbers(found)), expected none, as model \(quoted(model)) forecasts one value a step and no quantiles"
    case .noQuantile(let path, let model, let found, let known):
      "\(path): found \(plain(found)), expected a quantile that model \(quoted(model)) forecasts, \(list(known, "or"))"
    case .afterLastYear(let path):
      "\(path): the forecast would start after the year 9999, expected an earlier time"
    }
  }
}
