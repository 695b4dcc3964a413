/// When a request came, how long its client waits, and how the client is recognised.
package struct RideTerms {
  /// When the request came; its time-out began then.
  package let arrived: ContinuousClock.Instant
  /// How long after `arrived` the answer is of use; nil for always. A request that can't be done by then is refused at
  /// once; one that is not done when the time passes gives up its places by the next turn.
  package let timeout: Duration?
  /// Identifies the client, so that it is recognised when it comes back as it was told to; nil for a client that won't.
  /// Called only while other clients are promised places, or when this request is refused.
  package let identity: (() -> Bookings.Identity)?

  package init(
    arrived: ContinuousClock.Instant = .now, timeout: Duration? = nil,
    identity: (() -> Bookings.Identity)? = nil
  ) {
    self.arrived = arrived
    self.timeout = timeout
    self.identity = identity
  }

  /// When the client stops waiting for the answer; nil for never.
  package var deadline: ContinuousClock.Instant? { timeout.map { arrived + $0 } }
}
