import Dispatch
import HTTPCore
import Synchronization

/// A large answer on its way to its client: each part is written when the client has taken the last.
final class AnswerStream: Sendable {
  private let call: Call
  private let queue: DispatchQueue
  /// What is to be written; nil once all is.
  private let text: Mutex<AnswerText?>

  /// - Parameter queue: where parts are written, away from the event loop.
  init(_ text: AnswerText, to call: Call, on queue: DispatchQueue) {
    self.text = Mutex(text)
    self.call = call
    self.queue = queue
  }

  /// Begins the response, and goes on until it is sent or the client has left.
  func start() {
    call.exchange.onAbandon { [call] in call.abandoned() }
    call.begin(.json([]))
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
