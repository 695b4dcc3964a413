import Scheduling

/// Why a request's use of sessions is refused. Cases carry facts; `sentence` words them.
package enum SessionError: Error, Equatable, Sendable {
  /// The same id for two sequences of a request.
  case twice(id: String, path: String, other: String)
  /// `fork` with `begin`.
  case forkThatBegins(path: String)
  /// `at` with `begin`.
  case atThatBegins(path: String)
  /// `replace` with neither `begin` nor `fork`.
  case replaceWithoutBegin(path: String)
  /// A state for a sequence whose session has one already.
  case stateOfSession(path: String)
  case refused(SessionRefusal, model: String)
  /// `GET` or `DELETE` of an id that no session has.
  case noSuchSession(id: String, model: String)
}

extension SessionError: FaultSource {
  package var kind: Fault.Kind {
    switch self {
    case .twice, .forkThatBegins, .atThatBegins, .replaceWithoutBegin, .stateOfSession: .badRequest
    case .noSuchSession: .notFound
    case .refused(let refusal, _): refusal.kind
    }
  }

  package var retryAfterSeconds: Int? {
    switch self {
    case .refused(.frozen, _), .refused(.store(.closed), _): Fault.secondsToOtherProcess
    case .refused(.store, _), .refused(.busy, _), .refused(.tooManyWait, _): 1
    default: nil
    }
  }

  package var details: Fault.Details? {
    guard case .refused(let refusal, _) = self, let (id, steps) = refusal.session else {
      return nil
    }
    return .session(id: id, steps: steps)
  }

  package var sentence: String {
    switch self {
    case .twice(let id, let path, let other):
      "\(path): found session \(quoted(id)) again, which \(other) has already"
    case .forkThatBegins(let path):
      "\(path): found fork beside begin, expected one of them: a fork begins with the state of another session"
    case .atThatBegins(let path):
      "\(path): found at beside begin, expected one of them: a session that begins goes on from nothing"
    case .replaceWithoutBegin(let path):
      "\(path): found replace without begin or fork, expected one of them: to go on with a session replaces nothing"
    case .stateOfSession(let path):
      "\(path): found beside a session that has a state already, expected one that begins (\"begin\": true)"
    case .refused(let refusal, let model): refusal.phrase(model: model)
    case .noSuchSession(let id, let model):
      "there is no session \(quoted(id)) of model \(quoted(model))"
    }
  }
}

extension SessionRefusal {
  fileprivate var kind: Fault.Kind {
    switch self {
    case .unknown, .unknownSource: .notFound
    case .gone: .gone
    case .busy, .tooManyWait, .exists, .stepsMismatch, .movedElsewhere: .conflict
    case .frozen, .store: .unavailable
    case .full: .tooManyRequests
    case .deadlinePassed: .timedOut
    case .tooLarge(_, limit: 0): .badRequest
    case .tooLarge, .tooLargeForStore: .tooLarge
    }
  }
}

extension SessionRefusal {
  /// The session that differs from what the request says, and the session's steps.
  fileprivate var session: (id: String, steps: Int)? {
    switch self {
    case .exists(let id, let steps), .stepsMismatch(let id, let steps, _),
      .movedElsewhere(let id, .some(let steps)):
      (id, steps)
    case .unknown, .unknownSource, .gone, .busy, .tooManyWait, .tooLarge, .tooLargeForStore, .full,
      .frozen, .store, .movedElsewhere(_, nil), .deadlinePassed:
      nil
    }
  }
}

extension SessionRefusal {
  fileprivate func phrase(model: String) -> String {
    switch self {
    case .unknown(let id):
      "there is no session \(quoted(id)) of model \(quoted(model)); {\"id\": \(quoted(id)), \"begin\": true} begins one"
    case .unknownSource(let id, let fork):
      "session \(quoted(fork)) can't begin as a fork: there is no session \(quoted(id)) of model \(quoted(model))"
    case .gone(let id, .evicted):
      "session \(quoted(id)) is gone: others, used later, needed its room (max_session_bytes)"
    case .gone(let id, .storeFull):
      "session \(quoted(id)) is gone: others, used later, needed its room in the session store (max_session_store_bytes)"
    case .gone(let id, .expired):
      "session \(quoted(id)) is gone: nobody used it for as long as session_idle_seconds says"
    case .gone(let id, .ended): "session \(quoted(id)) is gone: a request ended it"
    case .gone(let id, .otherModel):
      "session \(quoted(id)) is gone: another model is called \(quoted(model)) now"
    case .gone(let id, .lost):
      "session \(quoted(id)) is gone: the process that had it did not hand it over, as one does that ends cleanly"
    case .gone(let id, .damaged):
      "session \(quoted(id)) is gone: what the session store has of it is damaged"
    case .store(.failing(let reason)):
      "the session store fails (\(reason)): no session of the request has moved"
    case .store(.slow(let time)):
      "the session store has not answered for \(Int(time.seconds.rounded(.up))) s: no session of the request has moved"
    case .store(.unsure(let reason)):
      "the session store has not confirmed that the request's sessions moved (\(reason)): whether they moved tells \"at\" in the next request"
    case .store(.leased(let id, _)):
      "session \(quoted(id)) is busy with another server's request"
    case .store(.moved(let id, _)):
      "session \(quoted(id)) moved otherwise in the session store"
    case .movedElsewhere(let id, .some(let steps)):
      "session \(quoted(id)) moved by another request while this one was computed, and has \(counted(steps, "step")) now: no session of this request has moved"
    case .movedElsewhere(let id, nil):
      "session \(quoted(id)) ended while this request was computed: no session of this request has moved"
    case .frozen, .store(.closed):
      "the server is about to stop, and its sessions go on in the next process"
    case .exists(let id, let steps):
      "session \(quoted(id)) exists, with \(counted(steps, "step")); \"replace\": true starts it over"
    case .stepsMismatch(let id, let found, let expected):
      "session \(quoted(id)) has \(counted(found, "step")), the request goes on from \(expected) (\"at\")"
    case .busy(let id):
      "session \(quoted(id)) is busy with another request; one for predictions may wait for it (\"wait\": true)"
    case .tooManyWait(let id, let limit):
      "session \(quoted(id)) is busy, and \(limit) requests wait for it already (max_session_waiters)"
    case .tooLarge(_, limit: 0): "session: this server keeps none (max_session_bytes is 0)"
    case .tooLarge(let needed, let limit):
      "the request's sessions take \(needed) bytes, the server keeps \(limit) of all (max_session_bytes)"
    case .tooLargeForStore(let needed, let limit):
      "the request's sessions take \(needed) bytes, the session store keeps \(limit) of all (max_session_store_bytes)"
    case .full(let limit):
      "the sessions of requests under way take all that there is, \(limit) bytes (max_session_bytes)"
    case .deadlinePassed(let timeout): lateSentence(timeout)
    }
  }
}
