import Dispatch
import HTTPCore
import Synchronization

/// A large answer on its way to its client: each part is written when the client has taken the last.
final class AnswerStream: Sendable {
  private let call: Call
  private let queue: DispatchQueue
  private let head: HTTPResponse
  /// What is to be written; nil once all is.
  private let text: Mutex<AnswerText?>

  /// - Parameter queue: where parts are written, away from the event loop.
  init(_ answer: EncodedAnswer, to call: Call, on queue: DispatchQueue) {
    head = answer.head
    text = Mutex(answer.body)
    self.call = call
    self.queue = queue
  }

  /// Begins the response, and goes on until it is sent or the client has left.
  func start() {
    call.exchange.onAbandon { [call] in call.abandoned() }
    call.begin(head)
    // Held by the exchange, and let go of at its end.
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
