import JSON
import Serving

/// Answers requests for predictions in KServe's schema of time series.
struct Forecasts: Sendable {
  private let models: ModelRegistry
  private let limits: QuestionLimits
  private let readers: BodyReader
  private let rides: PredictionRunner

  init(_ parts: ServiceParts) {
    models = parts.models
    limits = parts.settings.questions
    readers = parts.readers
    rides = PredictionRunner(parts)
  }

  /// `POST /v1/timeseries/forecast`
  func answer(_ call: Call) {
    rides.answer(call) { (call) throws(Fault) in
      let document = try readers.read(
        call.exchange.request.body,
        members: ForecastDecoder.members)
      let forecast = try ForecastDecoder(
        document: document, models: call.grant.models(of: models.snapshot), limits: limits
      )
      .decode()
      return Inquiry(
        question: forecast.question, size: AnswerSize(forecast), timeout: try call.timeout(nil)
      ) { (predictions, isWhole) throws(Fault) in
        let encoder = ForecastEncoder(question: forecast, createdAt: Int(ProcessStatistics.now))
        return EncodedAnswer(.json([]), try encoder.text(of: predictions, isWhole: isWhole))
      }
    }
  }
}
