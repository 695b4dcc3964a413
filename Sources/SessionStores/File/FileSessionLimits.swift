import Scheduling

/// How much a file of sessions may hold, and for how long.
package struct FileSessionLimits: Sendable, Equatable {
  /// The bytes that its sessions may take (`max_session_store_bytes`), counted as in memory; beyond that, the least
  /// recently used sessions are ended.
  package var maxBytes: Int
  /// How long a session may stay unused before it is ended (`session_idle_seconds`).
  package var idleTimeout: Duration

  package init(maxBytes: Int = 4 << 30, idleTimeout: Duration = .seconds(3600)) {
    self.maxBytes = maxBytes
    self.idleTimeout = idleTimeout
  }

  var idleMilliseconds: Int { max(1, idleTimeout.wholeMilliseconds) }
}
