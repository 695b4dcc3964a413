import Inference

/// The states that a request's sequences go on from, and whether the request wants their final states.
package struct StateTransfer: Sendable {
  /// One for each sequence, nil for a sequence that begins; empty if all begin.
  package let initial: [SequenceState?]
  /// Whether each prediction returns the sequence's final state.
  package let returnsFinal: Bool

  package init(initial: [SequenceState?] = [], returnsFinal: Bool = false) {
    self.initial = initial
    self.returnsFinal = returnsFinal
  }

  /// Whether the states fit a model, and a request of `sequenceCount` sequences.
  func fits(_ graph: ModelGraph, sequenceCount: Int) -> Bool {
    guard returnsFinal || !initial.isEmpty else { return true }
    return graph.isStreamable && (initial.isEmpty || initial.count == sequenceCount)
      && initial.allSatisfy {
        $0.map { $0.position > 0 && $0.floats.count == graph.stateFloatCount } ?? true
      }
  }
}
