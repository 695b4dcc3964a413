/// How far the response of an exchange has come, and whom to tell of it.
struct ResponseProgress: Sendable {
  enum Phase {
    case open
    case streaming
    case answered
    case abandoned
  }

  /// What may be written and not yet taken by the client before it counts as behind.
  static let maxUnsentBytes = 16 * 1024
  /// What it may leave and count as having caught up.
  private static let fewUnsentBytes = maxUnsentBytes / 4

  var phase = Phase.open
  var onAbandon: (@Sendable () -> Void)?
  var onDrain: (@Sendable () -> Void)?
  var onFinish: (@Sendable (HTTPExchange.Outcome) -> Void)?
  /// The response that a stream began with; where it is collected, with what was written since.
  var begun: HTTPResponse?
  /// What its parts go through.
  var coder: HTTPExchange.PartCoder?
  var unsentBytes = 0
  var isBehind = false
  /// False while the application is called with the exchange for the first time.
  var isHandedOut = true
  /// The whole response, where it was given by then.
  var early: HTTPResponse?

  /// Whether nothing was decided yet or a stream goes on.
  var isUnderWay: Bool { phase == .open || phase == .streaming }

  /// Ends the exchange; lets go of closures, which may hold the exchange itself.
  mutating func finish(_ phase: Phase) {
    self = ResponseProgress(phase: phase, isHandedOut: isHandedOut)
  }

  /// What to call since the client has caught up. While there is nothing, it remains to be told.
  mutating func takeDrain() -> (@Sendable () -> Void)? {
    guard isBehind, unsentBytes <= Self.fewUnsentBytes, let onDrain else { return nil }
    isBehind = false
    return onDrain
  }
}
