/// How much one request may ask for, named as in the configuration.
package struct QuestionLimits: Sendable {
  /// `max_sequences_per_request`
  package var maxSequencesPerRequest = 1024
  /// `max_sequence_steps`, for each sequence of a request.
  package var maxSequenceSteps = 65_536
  /// `max_horizon`: the steps that a forecaster may be asked for.
  package var maxHorizon = 1024
  /// `max_generation_steps`: the tokens that a text may be continued by.
  package var maxGenerationSteps = 4096

  package init() {}
}
