/// When a request came, how long its client waits, and how the client is known.
package struct RideTerms {
  /// When it came; its time-out began then.
  package let arrived: ContinuousClock.Instant
  /// After which the answer is of no use: what can't be ready by then is refused at once, what is not when it passes
  /// gives up its places by the next turn. Nil for never.
  package let timeout: Duration?
  /// Tells the client from others, so that it is known when it comes back as it was told to; nil for one who won't. Asked for only where some are refused.
  package let identity: (() -> Bookings.Identity)?

  package init(
    arrived: ContinuousClock.Instant = .now, timeout: Duration? = nil,
    identity: (() -> Bookings.Identity)? = nil
  ) {
    self.arrived = arrived
    self.timeout = timeout
    self.identity = identity
  }

  /// When nobody waits for the answer any more.
  package var deadline: ContinuousClock.Instant? { timeout.map { arrived + $0 } }
}
