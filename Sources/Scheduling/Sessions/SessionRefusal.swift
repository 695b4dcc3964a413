/// How a session came to its end. Files have the number.
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
  /// What the store has of it is damaged.
  case damaged
  /// It was the least recently used when the sessions of a store took more than that may hold.
  case storeFull
}

/// Why a request does not get a session.
package enum SessionRefusal: Error, Equatable, Sendable {
  /// There is none of that id, nor was there one as far as the server remembers.
  case unknown(String)
  /// The same, of the session that another one should begin as a copy of.
  case unknownSource(String, fork: String)
  /// It was there and is gone.
  case gone(String, SessionEnd)
  /// It is there already, with so many steps, and the request did not say that it replaces it.
  case exists(String, steps: Int)
  /// It has another number of steps than the request goes on from.
  case otherSteps(String, found: Int, expected: Int)
  /// It moved otherwise while the request was computed, and has so many steps; nil where it is not there any more.
  case movedElsewhere(String, steps: Int?)
  /// The server is about to stop, and its sessions are on their way to the next process.
  case frozen
  /// Another request has it.
  case busy(String)
  /// It is busy, and as many requests wait for it as may.
  case tooManyWait(String, limit: Int)
  /// The request's sessions alone are more than the server keeps.
  case tooLarge(needed: Int, limit: Int)
  /// They are more than the store keeps.
  case tooLargeForStore(needed: Int, limit: Int)
  /// The sessions that other requests have open at the moment leave too little memory.
  case full(limit: Int)
  /// The store does not do its part, so that no session has moved, or none is known to have.
  case store(SessionStoreProblem)
  /// The request's time-out passed while it waited.
  case deadlinePassed(timeout: Duration)
}
