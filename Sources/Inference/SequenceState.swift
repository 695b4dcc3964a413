/// All that a sequence carries from step to step, to go on from: the states of every recurrent network, and what pools gathered.
package struct SequenceState: Sendable, Equatable {
  /// Steps done; at least one.
  package let position: Int
  /// In the order of the graph's nodes, as many as `ModelGraph.stateFloatCount`.
  package let floats: [Float]

  package init(position: Int, floats: [Float]) {
    self.position = position
    self.floats = floats
  }
}
