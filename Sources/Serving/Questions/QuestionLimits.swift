/// How much one request may ask for, with each limit's name in the settings.
package struct QuestionLimits: Sendable {
  /// `max_sequences_per_request`
  package var maxSequencesPerRequest = 1024
  /// `max_sequence_steps`, for each sequence of a request.
  package var maxSequenceSteps = 65_536
  /// `max_horizon`: the steps of a forecast.
  package var maxHorizon = 1024
  /// `max_generation_steps`: the tokens of a continuation.
  package var maxGenerationSteps = 4096

  package init() {}
}
