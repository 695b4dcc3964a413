import Synchronization

/// What answers requests: called on a connection's event loop, so it must return at once.
/// The answer goes through `exchange.respond`, from any thread.
package typealias Application = @Sendable (HTTPExchange) -> Void

/// One request and the way to its one response.
///
/// Made by the server for a live connection, or by a test that wants the response in process.
package final class HTTPExchange: Sendable {
  package let request: HTTPRequest

  private enum State: Sendable {
    case open(onAbandon: (@Sendable () -> Void)?)
    case answered
    case abandoned
  }

  private let state = Mutex<State>(.open(onAbandon: nil))
  private let deliver: @Sendable (HTTPResponse) -> Void

  /// - Parameter deliver: receives the response; called at most once, on the responder's thread.
  package init(
    request: HTTPRequest, deliver: @escaping @Sendable (HTTPResponse) -> Void
  ) {
    self.request = request
    self.deliver = deliver
  }

  /// Sends `response`. The first call wins; after the client has left, nothing is sent.
  package func respond(_ response: HTTPResponse) {
    let first = state.withLock { state in
      guard case .open = state else { return false }
      state = .answered
      return true
    }
    if first { deliver(response) }
  }

  /// Records that the client hung up or reset its stream before the response.
  package func abandon() {
    let notify: (@Sendable () -> Void)? = state.withLock { state in
      guard case .open(let onAbandon) = state else { return nil }
      state = .abandoned
      return onAbandon
    }
    notify?()
  }

  /// Calls `action` when the client leaves before the response, at once if it has left already.
  package func onAbandon(_ action: @escaping @Sendable () -> Void) {
    let alreadyGone = state.withLock { state in
      switch state {
      case .open:
        state = .open(onAbandon: action)
        return false
      case .answered:
        return false
      case .abandoned:
        return true
      }
    }
    if alreadyGone { action() }
  }

  /// Whether the client has left without an answer.
  package var isAbandoned: Bool {
    state.withLock { if case .abandoned = $0 { true } else { false } }
  }
}
