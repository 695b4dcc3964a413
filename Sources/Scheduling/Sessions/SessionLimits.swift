/// How many sessions a server keeps, and for how long.
package struct SessionLimits: Sendable, Equatable {
  /// What all of them may take (`max_session_bytes`); 0 for no sessions.
  package var maxBytes: Int
  /// After which one that nobody used ends (`session_idle_seconds`).
  package var idleTimeout: Duration
  /// Requests that may wait for one session (`max_session_waiters`).
  package var maxWaiters: Int

  package init(
    maxBytes: Int = 256 << 20, idleTimeout: Duration = .seconds(3600), maxWaiters: Int = 64
  ) {
    precondition(maxBytes >= 0 && idleTimeout > .zero && maxWaiters >= 0)
    self.maxBytes = maxBytes
    self.idleTimeout = idleTimeout
    self.maxWaiters = maxWaiters
  }
}
