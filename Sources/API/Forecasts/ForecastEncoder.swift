import FoundationEssentials
import Inference

/// Writes forecasts as KServe's `ForecastResponse`: kserve/kserve,
/// python/kserve/kserve/protocol/rest/timeseries/types.py.
///
/// Its members come in that order, all of them, null where there is nothing: an output a series of the request,
/// with one forecast in it. Of `usage`, a step is a token.
struct ForecastEncoder {
  let question: ForecastQuestion
  /// Seconds since 1970.
  let createdAt: Int

  /// About what an output takes beside its floats.
  private static let bytesPerOutput = 320

  func encode(_ predictions: [Prediction]) throws(APIError) -> [UInt8] {
    let asked = question.question
    var writer = JSONWriter()
    let floats = predictions.reduce(0) { $0 + $1.floatCount }
    writer.reserve(
      Self.bytesPerOutput * (predictions.count + 1) + AnswerEncoder.bytesPerFloat * floats)
    writer.raw(#"{"id":"#)
    writer.string(Self.newID)
    writer.raw(#","created_at":"#)
    writer.integer(createdAt)
    writer.raw(#","status":"completed","error":null,"model":"#)
    writer.string(asked.model.name)
    writer.raw(#","outputs":"#)
    try writer.array(predictions.indices) { (writer, index) throws(APIError) in
      try write(predictions[index], of: question.series[index], to: &writer)
    }
    writeUsage(
      read: asked.sequences.reduce(0) { $0 + $1.stepCount },
      foretold: asked.sequences.count * (asked.horizon ?? 0), to: &writer)
    writer.raw("}\n")
    return writer.bytes
  }

  /// KServe's `ForecastOutput`, with the one `TimeSeriesForecast` of its series.
  private func write(
    _ prediction: Prediction, of series: ForecastQuestion.Series, to writer: inout JSONWriter
  ) throws(APIError) {
    writer.raw(#"{"type":"time_series_forecast","id":"#)
    writer.string(Self.newID)
    writer.raw(#","status":"completed","content":[{"type":"#)
    writer.string(series.type.rawValue)
    writer.raw(#","name":"#)
    writer.string(series.name)
    writer.raw(#","mean_forecast":"#)
    try AnswerEncoder.writeForecast(prediction, of: question.question, to: &writer)
    writer.raw(#","frequency":"#)
    writer.string(series.frequency.name)
    writer.raw(#","start_timestamp":"#)
    // The schema wants a string, though the series may have had none.
    writer.string(series.start?.description ?? "")
    writer.raw(#","quantiles":null}],"error":null}"#)
  }

  /// KServe's `Usage`.
  private func writeUsage(read: Int, foretold: Int, to writer: inout JSONWriter) {
    writer.raw(#","usage":{"prompt_tokens":"#)
    writer.integer(read)
    writer.raw(#","completion_tokens":"#)
    writer.integer(foretold)
    writer.raw(#","total_tokens":"#)
    writer.integer(read + foretold)
    writer.raw("}")
  }

  /// A random identifier (RFC 9562 §5.4), in lower case as that asks of who writes one.
  private static var newID: String { UUID().uuidString.lowercased() }
}
