@testable import API

/// A body of `POST /v1/timeseries/forecast`, each part of it JSON that a test may replace.
struct ForecastBody {
  var model = #""counter""#
  var inputs = [Input()]
  var options = #"{"horizon":2}"#

  struct Input {
    var type = #""univariate_time_series""#
    var name = #""a""#
    var series = "[10]"
    var frequency = #""D""#
    /// Left out where nil.
    var start: String?

    var json: String {
      #"{"type":\#(type),"name":\#(name),"series":\#(series),"frequency":\#(frequency)"#
        + (start.map { #","start_timestamp":\#($0)"# } ?? "") + "}"
    }
  }

  var json: String {
    let inputs = inputs.map(\.json).joined(separator: ",")
    return #"{"model":\#(model),"inputs":[\#(inputs)],"options":\#(options)}"#
  }
}

extension Service {
  /// The answer to a `POST /v1/timeseries/forecast`.
  func forecast(_ body: String) async -> (status: Int, body: String) {
    let answer = await answer("POST", "/v1/timeseries/forecast", body)
    return (answer.status, answer.body)
  }
}
