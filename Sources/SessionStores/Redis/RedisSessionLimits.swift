import Scheduling

/// How long a Redis keeps what it has of sessions, and how many replicas have to have it.
package struct RedisSessionLimits: Sendable, Equatable {
  /// After which a session that nobody used ends (`session_idle_seconds`).
  package let idleTimeout: Duration
  /// How long a lease outlives the process that has it.
  package let lease: Duration
  /// How long it is remembered why a session has gone.
  package let endsRemembered: Duration
  /// How long to wait for the first connection before serving without one.
  package let patience: Duration
  /// What the sessions take at the most that this process keeps for their next requests, beside those that requests use.
  package let maxKeptBytes: Int
  /// How many of its replicas have to have a move before it is answered (`session_store_replicas`).
  package let replicas: Int
  /// Times as scripts take them: whole milliseconds, at least one.
  let idleMilliseconds: [UInt8]
  let leaseMilliseconds: [UInt8]
  let endsMilliseconds: [UInt8]

  package init(
    idleTimeout: Duration = .seconds(3600), lease: Duration = .seconds(3),
    endsRemembered: Duration = .seconds(86_400), patience: Duration = .seconds(3),
    maxKeptBytes: Int = 32 << 20, replicas: Int = 0
  ) {
    self.idleTimeout = idleTimeout
    self.lease = lease
    self.endsRemembered = endsRemembered
    self.patience = patience
    self.maxKeptBytes = maxKeptBytes
    self.replicas = replicas
    func milliseconds(_ duration: Duration) -> [UInt8] {
      Array("\(max(1, duration.wholeMilliseconds))".utf8)
    }
    idleMilliseconds = milliseconds(idleTimeout)
    leaseMilliseconds = milliseconds(lease)
    endsMilliseconds = milliseconds(endsRemembered)
  }

  /// How long ago a session may have been listed as used that is used.
  var listing: Duration { idleTimeout / 64 }

  /// Whether a session that is kept for as long as its lease lasts, and then used that long, is there still.
  var mayKeep: Bool { idleTimeout >= lease * 2 }
}
