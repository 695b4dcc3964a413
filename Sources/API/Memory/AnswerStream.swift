import Dispatch
import HTTPCore
import Synchronization

/// Streams a large answer: the next part is written when the client has caught up with the last.
final class AnswerStream: Sendable {
  private let call: Call
  private let queue: DispatchQueue
  private let head: HTTPResponse
  /// The text still to be written; nil once all is written.
  private let text: Mutex<AnswerText?>

  /// - Parameter queue: the queue that parts are written on, away from the event loop.
  init(_ answer: EncodedAnswer, to call: Call, on queue: DispatchQueue) {
    head = answer.head
    text = Mutex(answer.body)
    self.call = call
    self.queue = queue
  }

  /// Begins the response and writes until it is complete or the client has left.
  func start() {
    call.exchange.onAbandon { [call] in call.abandoned() }
    call.begin(head)
    // This closure keeps the stream alive; the exchange releases it at its end.
    call.exchange.onDrain { [self] in queue.async { self.writeParts() } }
    writeParts()
  }

  /// Writes until the client is behind.
  private func writeParts() {
    text.withLock { text in
      while text != nil, !call.exchange.isAbandoned {
        guard let part = text?.nextPart(ServiceSettings.answerPartBytes) else {
          text = nil
          call.end()
          return
        }
        guard call.exchange.write(part) else { return }
      }
      text = nil
    }
  }
}
