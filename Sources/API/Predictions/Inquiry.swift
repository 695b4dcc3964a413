import Inference

/// A question, how long its client waits, and how the predictions that answer it are written: at once, or part by
/// part.
struct Inquiry: Sendable {
  let question: Question
  let size: AnswerSize
  let timeout: Duration?
  let text: @Sendable ([Prediction], _ isWhole: Bool) throws(APIError) -> AnswerText
}
