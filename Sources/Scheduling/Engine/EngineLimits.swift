/// How much an engine takes on.
package struct EngineLimits: Sendable, Equatable {
  /// Workers that turn at once when there is enough for them (`workers`); nil for one a core.
  package var workers: Int?
  /// Sequences on board at once, of all workers (`max_seats`).
  package var maxSeats: Int
  /// Sequences that wait for a seat (`max_queued_sequences`).
  package var maxQueuedSequences: Int
  /// Steps that wait for a seat (`max_queued_steps`).
  package var maxQueuedSteps: Int

  package init(
    workers: Int? = nil, maxSeats: Int = 64, maxQueuedSequences: Int = 1024,
    maxQueuedSteps: Int = 1_048_576
  ) {
    precondition(workers ?? 1 > 0 && maxSeats > 0 && maxQueuedSequences > 0 && maxQueuedSteps > 0)
    self.workers = workers
    self.maxSeats = maxSeats
    self.maxQueuedSequences = maxQueuedSequences
    self.maxQueuedSteps = maxQueuedSteps
  }
}
