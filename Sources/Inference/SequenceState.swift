/// Everything that a sequence carries from step to step: the states of all recurrent networks, and of pools and other ops.
package struct SequenceState: Sendable, Equatable {
  /// The number of steps done, at least 1.
  package let position: Int
  /// The floats in the order of the graph's nodes; `ModelGraph.stateFloatCount` of them.
  package let floats: [Float]

  package init(position: Int, floats: [Float]) {
    self.position = position
    self.floats = floats
  }
}
