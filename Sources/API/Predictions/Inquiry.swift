import HTTPCore
import Inference
import Serving

/// A question, how long its client waits, and how the predictions that answer it become a response: at once, or part by
/// part.
struct Inquiry: Sendable {
  let question: Question
  let size: AnswerSize
  let timeout: Duration?
  let response: @Sendable ([Prediction], _ isWhole: Bool) throws(Fault) -> EncodedAnswer
}

/// A response that answers a question; its body is written when it is sent.
struct EncodedAnswer: Sendable {
  /// Without a body.
  let head: HTTPResponse
  var body: AnswerText

  init(_ head: HTTPResponse, _ body: AnswerText) {
    self.head = head
    self.body = body
  }

  /// The whole response.
  consuming func whole() -> HTTPResponse {
    var response = head
    response.body = body.remainder()
    return response
  }
}
