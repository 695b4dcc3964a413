/// How much an engine takes on.
package struct EngineLimits: Sendable, Equatable {
  /// Sequences on board at once (`max_seats`).
  package var maxSeats: Int
  /// Sequences that wait for a seat (`max_queued_sequences`).
  package var maxQueuedSequences: Int
  /// Steps that wait for a seat (`max_queued_steps`).
  package var maxQueuedSteps: Int

  package init(
    maxSeats: Int = 64, maxQueuedSequences: Int = 1024, maxQueuedSteps: Int = 1_048_576
  ) {
    precondition(maxSeats > 0 && maxQueuedSequences > 0 && maxQueuedSteps > 0)
    self.maxSeats = maxSeats
    self.maxQueuedSequences = maxQueuedSequences
    self.maxQueuedSteps = maxQueuedSteps
  }
}
