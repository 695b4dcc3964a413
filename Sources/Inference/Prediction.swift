/// Which steps of a sequence a prediction reports.
package enum Selection: String, Sendable, Equatable, CaseIterable {
  /// The final step only.
  case last
  /// Every step.
  case all
}

/// What a model answers for one sequence.
package struct Prediction: Sendable, Equatable {
  /// In the order of the model's outputs.
  package var outputs: [Output]
  /// What the sequence goes on from, where that was asked for.
  package var state: SequenceState?

  package init(outputs: [Output], state: SequenceState? = nil) {
    self.outputs = outputs
    self.state = state
  }

  /// One output's values.
  package struct Output: Sendable, Equatable {
    /// Steps reported; nil where the output is one vector.
    package var rows: Int?
    /// Elements a step, or of the vector.
    package var size: Int
    /// rows × size, row-major.
    package var values: [Float]

    package init(rows: Int?, size: Int, values: [Float]) {
      self.rows = rows
      self.size = size
      self.values = values
    }
  }
}
