import HTTPCore
import Synchronization

/// Something for a stream of a connection that was made outside the loop, or by the application
/// while the loop called it.
struct Mail: Sendable {
  enum Content: Sendable {
    /// The application's response, or a part of it.
    case part(HTTPResponsePart)
    /// A response whose content coding is applied.
    case encoded(HTTPResponse)
    /// A request whose content coding is undone, or the error that this came to.
    case decoded(HTTPRequest, error: HTTPResponse?)
  }

  let connection: UInt64
  let stream: StreamID
  let content: Content
}

/// Where any thread leaves mail for a loop; a loop that sleeps is woken once, by the first piece.
final class Inbox: Sendable {
  private struct State {
    var mail: [Mail] = []
    var isAwake = false
  }

  private let state = Mutex(State())

  /// Leaves `mail`; returns whether the loop is to be woken.
  func post(_ mail: Mail) -> Bool {
    state.withLock { state in
      state.mail.append(mail)
      defer { state.isAwake = true }
      return !state.isAwake
    }
  }

  /// Notes that the loop runs and will look here before it sleeps.
  func wake() {
    state.withLock { $0.isAwake = true }
  }

  /// Exchanges the mail for `empty`, whose storage is used again.
  func take(into empty: inout [Mail]) {
    state.withLock { swap(&$0.mail, &empty) }
  }

  /// Lets the loop sleep when there is no mail; returns whether it may.
  func sleepIfEmpty() -> Bool {
    state.withLock { state in
      guard state.mail.isEmpty else { return false }
      state.isAwake = false
      return true
    }
  }
}
