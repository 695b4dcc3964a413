import FoundationEssentials
import Inference
import JSON
import Serving

/// Writes forecasts as KServe's `ForecastResponse`: kserve/kserve,
/// python/kserve/kserve/protocol/rest/timeseries/types.py.
///
/// All members are written, in the order of the schema, null where there is nothing. There is one output for each
/// series of the request, with one forecast in it. In `usage`, a step counts as a token.
struct ForecastEncoder {
  let question: ForecastQuestion
  /// In seconds since 1970.
  let createdAt: Int

  /// About how many bytes an output takes beside its floats.
  private static let bytesPerOutput = 320

  /// The text of the answer; written at once if `isWhole`, else part by part.
  func text(of predictions: [Prediction], isWhole: Bool) throws(Fault) -> AnswerText {
    let asked = question.question
    var text = AnswerText(isWhole: isWhole)
    if isWhole {
      let floats = predictions.reduce(0) { $0 + $1.floatCount }
      text.writer.reserve(
        Self.bytesPerOutput * (predictions.count + 1) + AnswerEncoder.bytesPerFloat * floats)
    }
    text.writer.raw(#"{"id":"#)
    text.writer.string(Self.newID)
    text.writer.raw(#","created_at":"#)
    text.writer.integer(createdAt)
    text.writer.raw(#","status":"completed","error":null,"model":"#)
    text.writer.string(asked.model.name)
    text.writer.raw(#","outputs":"#)
    try text.array(predictions.indices) { (text, index) throws(Fault) in
      try write(predictions[index], of: question.series[index], to: &text)
    }
    writeUsage(
      read: asked.sequences.reduce(0) { $0 + $1.stepCount },
      forecastValues: asked.sequences.count * (asked.horizon ?? 0), to: &text.writer)
    text.writer.raw("}\n")
    return text
  }

  /// KServe's `ForecastOutput`, with one `TimeSeriesForecast`: that of its series.
  private func write(
    _ prediction: Prediction, of series: ForecastQuestion.Series, to text: inout AnswerText
  ) throws(Fault) {
    text.writer.raw(#"{"type":"time_series_forecast","id":"#)
    text.writer.string(Self.newID)
    text.writer.raw(#","status":"completed","content":[{"type":"#)
    text.writer.string(series.type.rawValue)
    text.writer.raw(#","name":"#)
    text.writer.string(series.name)
    text.writer.raw(#","mean_forecast":"#)
    try AnswerEncoder.writeForecast(prediction, of: question.question, to: &text)
    text.writer.raw(#","frequency":"#)
    text.writer.string(series.frequency.name)
    text.writer.raw(#","start_timestamp":"#)
    // The schema requires a string, even if the series has no time.
    text.writer.string(series.start?.description ?? "")
    text.writer.raw(#","quantiles":"#)
    try writeQuantiles(of: prediction, to: &text)
    text.writer.raw(#"}],"error":null}"#)
  }

  /// Writes each quantile's forecast under its level; null where there are no quantiles.
  private func writeQuantiles(
    of prediction: Prediction, to text: inout AnswerText
  ) throws(Fault) {
    guard !question.quantiles.isEmpty else { return text.writer.raw("null") }
    var separator: Unicode.Scalar = "{"
    for index in question.quantiles {
      text.writer.byte(separator)
      separator = ","
      text.writer.string(question.question.quantiles[index].text)
      text.writer.byte(":")
      try AnswerEncoder.writeForecast(
        prediction, quantile: index, of: question.question, to: &text)
    }
    text.writer.byte("}")
  }

  /// KServe's `Usage`.
  private func writeUsage(read: Int, forecastValues: Int, to writer: inout JSONWriter) {
    writer.raw(#","usage":{"prompt_tokens":"#)
    writer.integer(read)
    writer.raw(#","completion_tokens":"#)
    writer.integer(forecastValues)
    writer.raw(#","total_tokens":"#)
    writer.integer(read + forecastValues)
    writer.raw("}")
  }

  /// A random identifier (RFC 9562 §5.4), in lower case: RFC 4122 §3 required that of output, RFC 9562 §4 allows either
  /// case.
  private static var newID: String { UUID().uuidString.lowercased() }
}
