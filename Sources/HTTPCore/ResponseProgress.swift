/// The state of an exchange's response, and the closures to call about it.
struct ResponseProgress: Sendable {
  /// The phases of a response.
  enum Phase {
    case open
    case streaming
    case answered
    case abandoned
  }

  /// The most bytes written and not yet accepted by the client's socket before the client counts as behind.
  static let maxUnsentBytes = 16 * 1024
  /// A client that was behind has caught up when no more unsent bytes than this are left.
  private static let fewUnsentBytes = maxUnsentBytes / 4

  var phase = Phase.open
  var onAbandon: (@Sendable () -> Void)?
  var onDrain: (@Sendable () -> Void)?
  var onFinish: (@Sendable (HTTPExchange.Outcome) -> Void)?
  /// The head of a streamed response; where the response is collected, also all of the body written so far.
  var begun: HTTPResponse?
  /// The content coder of the body's parts; nil for none.
  var coder: HTTPExchange.PartCoder?
  var unsentBytes = 0
  var isBehind = false
  /// False while the application is being called with the exchange for the first time.
  var isHandedOut = true
  /// A whole response that the application gave during that call.
  var early: HTTPResponse?

  /// Whether the response has not begun, or is being streamed.
  var isUnderWay: Bool { phase == .open || phase == .streaming }

  /// Ends the exchange and releases the closures, which may hold the exchange itself.
  mutating func finish(_ phase: Phase) {
    self = ResponseProgress(phase: phase, isHandedOut: isHandedOut)
  }

  /// The closure to call if the client has just caught up. While `onDrain` is not set, the client stays marked as
  /// behind, so that a closure set later is called.
  mutating func takeDrain() -> (@Sendable () -> Void)? {
    guard isBehind, unsentBytes <= Self.fewUnsentBytes, let onDrain else { return nil }
    isBehind = false
    return onDrain
  }
}
