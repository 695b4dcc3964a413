import Inference

/// What a request asks of an engine: the sequences that ride together, and what becomes of each.
struct RideRequest {
  let sequences: [InputSequence]
  let selection: Selection
  let continuation: Continuation
  let terms: RideTerms
  let states: StateTransfer
  let group: RiderGroup

  init(
    _ sequences: [InputSequence], selection: Selection, continuation: Continuation,
    terms: RideTerms, states: StateTransfer = StateTransfer(),
    completion: @escaping RiderGroup.Completion
  ) {
    self.sequences = sequences
    self.selection = selection
    self.continuation = continuation
    self.terms = terms
    self.states = states
    group = RiderGroup(count: sequences.count, completion: completion)
  }

  /// The steps before each of its riders, in the order of the sequences.
  func journeys(through graph: ModelGraph) -> [Journey] {
    sequences.map {
      Journey(
        steps: $0.stepCount,
        following: continuation.followingSteps(of: graph, after: $0.stepCount))
    }
  }
}
