import HTTPCore
import Inference
import Serving

/// A question, its time-out, and a function that turns the predictions into a response, written at once or part by
/// part.
struct Inquiry: Sendable {
  let question: Question
  let size: AnswerSize
  let timeout: Duration?
  let response: @Sendable ([Prediction], _ isWhole: Bool) throws(Fault) -> EncodedAnswer
}

/// A response to a question; its body is written when it is sent.
struct EncodedAnswer: Sendable {
  /// The response without its body.
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
