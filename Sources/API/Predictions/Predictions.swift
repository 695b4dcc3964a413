import Inference
import JSON
import Scheduling
import Serving

/// Answers requests for predictions, in the service's own schema.
final class Predictions: Sendable {
  private let models: ModelRegistry
  private let limits: QuestionLimits
  private let readers: BodyReader
  private let sealer: StateSealer
  private let rides: PredictionRunner

  init(_ parts: ServiceParts) {
    models = parts.models
    limits = parts.settings.questions
    readers = parts.readers
    sealer = parts.sealer
    rides = PredictionRunner(parts)
  }

  /// `POST /predict`, `POST /models/NAME/predict`
  func answer(_ call: Call) {
    rides.answer(call) { (call) throws(Fault) in
      let question = try question(
        in: call.exchange.request.body, model: call.path["name"], for: call.grant)
      let encoder = AnswerEncoder(
        question: question, sealer: sealer, checkpoint: call.checkPresence)
      return Inquiry(
        question: question, size: AnswerSize(question),
        timeout: try call.timeout(question.timeout)
      ) { (predictions, isWhole) throws(Fault) in
        EncodedAnswer(.json([]), try encoder.text(of: predictions, isWhole: isWhole))
      }
    }
  }

  /// The question in the body of a `POST /predict`; `model` is the model in the path, if the path names one.
  func question(
    in body: [UInt8], model: String? = nil, for grant: Grant = .all
  ) throws(Fault) -> Question {
    let document = try readers.read(body)
    return try Question(
      document, name: model, models: grant.models(of: models.snapshot), limits: limits,
      sealer: sealer)
  }
}
