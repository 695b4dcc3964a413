/// Why a session ended. The raw values stand in session files and stores.
package enum SessionEnd: UInt8, Sendable, Hashable, CaseIterable {
  /// It was the least recently used when others needed its memory.
  case evicted = 1
  /// Nobody used it for `session_idle_seconds`.
  case expired
  /// Its client ended it.
  case ended
  /// The model that it belongs to has gone, and another has its name.
  case otherModel
  /// The process that had it did not hand it over: it ended uncleanly.
  case lost
  /// The store's record of it is damaged.
  case damaged
  /// It was the least recently used when the sessions of the store took more than the store may hold.
  case storeFull
}

/// Why a request does not get a session.
package enum SessionRefusal: Error, Equatable, Sendable {
  /// There is no session of that id, nor was there one as far as the server remembers.
  case unknown(String)
  /// The session that `fork` should begin as a copy of is unknown in the same way.
  case unknownSource(String, fork: String)
  /// The session is gone, for this reason.
  case gone(String, SessionEnd)
  /// The session exists, with `steps` steps, and the request did not ask to replace it.
  case exists(String, steps: Int)
  /// The session has another number of steps than the request says (`at`).
  case stepsMismatch(String, found: Int, expected: Int)
  /// Someone else moved the session while the request was computed. `steps` is what it has now; nil if it no longer
  /// exists.
  case movedElsewhere(String, steps: Int?)
  /// The server is about to stop, and its sessions are on their way to the next process.
  case frozen
  /// Another request has the session open.
  case busy(String)
  /// The session is busy, and as many requests wait for it as may.
  case tooManyWait(String, limit: Int)
  /// The request's sessions alone take more bytes than the server keeps.
  case tooLarge(needed: Int, limit: Int)
  /// The request's sessions alone take more bytes than the store keeps.
  case tooLargeForStore(needed: Int, limit: Int)
  /// The sessions that other requests have open at the moment leave too little memory.
  case full(limit: Int)
  /// The store failed: no session has moved, or it is not known whether any has.
  case store(SessionStoreProblem)
  /// The request's time-out passed while it waited for a session.
  case deadlinePassed(timeout: Duration)
}
