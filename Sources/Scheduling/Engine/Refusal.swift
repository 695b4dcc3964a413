/// Why an engine does not answer a request with predictions.
///
/// `retryAfter`: the seconds after which the client may come back; a whole number if a place was promised for then.
package enum Refusal: Error, Equatable, Sendable {
  /// As many sequences wait as `max_queued_sequences` allows.
  case queueFull(queued: Int, arriving: Int, limit: Int, retryAfter: Double)
  /// As many steps wait as `max_queued_steps` allows.
  case stepsFull(queued: Int, arriving: Int, limit: Int, retryAfter: Double)
  /// The request alone is more than the queue may ever hold.
  case tooLarge(sequences: Int, sequenceLimit: Int, steps: Int, stepLimit: Int)
  /// So many riders wait that the answer would come after the request's time-out.
  case deadlineOutOfReach(timeout: Duration, needed: Duration, retryAfter: Double)
  /// The request's time-out passed while it waited or ran, or would have passed before it was done.
  case deadlinePassed(timeout: Duration)
  /// The engine is shutting down.
  case draining
  /// The client left.
  case cancelled
}

extension Refusal {
  /// The seconds until there is room, for refusals for want of room; nil for others.
  package var secondsUntilRoom: Double? {
    switch self {
    case .queueFull(_, _, _, let seconds), .stepsFull(_, _, _, let seconds),
      .deadlineOutOfReach(_, _, let seconds):
      seconds
    case .tooLarge, .deadlinePassed, .draining, .cancelled: nil
    }
  }

  /// The same refusal with another time to come back.
  func retrying(after seconds: Int) -> Refusal {
    let retryAfter = Double(seconds)
    return switch self {
    case .queueFull(let queued, let arriving, let limit, _):
      .queueFull(queued: queued, arriving: arriving, limit: limit, retryAfter: retryAfter)
    case .stepsFull(let queued, let arriving, let limit, _):
      .stepsFull(queued: queued, arriving: arriving, limit: limit, retryAfter: retryAfter)
    case .deadlineOutOfReach(let timeout, let needed, _):
      .deadlineOutOfReach(timeout: timeout, needed: needed, retryAfter: retryAfter)
    case .tooLarge, .deadlinePassed, .draining, .cancelled: self
    }
  }
}
