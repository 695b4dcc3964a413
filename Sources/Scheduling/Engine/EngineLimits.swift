/// How much an engine takes on.
package struct EngineLimits: Sendable, Equatable {
  /// The most workers that turn at once (`workers`); nil for one a core.
  package var workers: Int?
  /// The most sequences on board at once, of all workers together (`max_seats`).
  package var maxSeats: Int
  /// The most sequences that wait for a seat (`max_queued_sequences`).
  package var maxQueuedSequences: Int
  /// The most steps that wait for a seat (`max_queued_steps`).
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
