/// Why an engine does not answer a request with predictions.
package enum Refusal: Error, Equatable, Sendable {
  /// As many sequences wait as `max_queued_sequences` allows.
  case queueFull(queued: Int, arriving: Int, limit: Int, retryAfterSeconds: Int)
  /// As many steps wait as `max_queued_steps` allows.
  case stepsFull(queued: Int, arriving: Int, limit: Int, retryAfterSeconds: Int)
  /// The request alone is more than the queue may ever hold.
  case tooLarge(sequences: Int, sequenceLimit: Int, steps: Int, stepLimit: Int)
  /// So many wait that the answer would come after the request's time-out.
  case deadlineOutOfReach(timeout: Duration, needed: Duration, retryAfterSeconds: Int)
  /// The request's time-out passed while it waited or ran.
  case deadlinePassed(timeout: Duration)
  /// The engine is shutting down.
  case draining
  /// The client left.
  case cancelled
}
