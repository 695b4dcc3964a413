/// How many sessions a server keeps, and for how long.
package struct SessionLimits: Sendable, Equatable {
  /// The most bytes that all sessions may take together (`max_session_bytes`); 0 for no sessions.
  package var maxBytes: Int
  /// How long a session lives that nobody uses (`session_idle_seconds`).
  package var idleTimeout: Duration
  /// The most requests that may wait for one session (`max_session_waiters`).
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
