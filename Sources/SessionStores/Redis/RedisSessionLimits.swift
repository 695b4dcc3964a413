import Scheduling

/// How long a Redis keeps what it has of sessions.
package struct RedisSessionLimits: Sendable, Equatable {
  /// After which a session that nobody used ends (`session_idle_seconds`).
  package var idleTimeout: Duration
  /// How long a lease outlives the process that has it.
  package var lease: Duration
  /// How long it is remembered why a session has gone.
  package var endsRemembered: Duration
  /// How long to wait for the first connection before serving without one.
  package var patience: Duration

  package init(
    idleTimeout: Duration = .seconds(3600), lease: Duration = .seconds(3),
    endsRemembered: Duration = .seconds(86_400), patience: Duration = .seconds(3)
  ) {
    self.idleTimeout = idleTimeout
    self.lease = lease
    self.endsRemembered = endsRemembered
    self.patience = patience
  }
}

extension Duration {
  /// Whole milliseconds, at least one, as scripts take them.
  var scriptMilliseconds: [UInt8] {
    Array("\(max(1, attoseconds / 1_000_000_000_000_000))".utf8)
  }
}
