/// Which steps a prediction reports of each output.
package enum Selection: Sendable, Equatable {
  /// The final step of every output.
  case last
  /// Every step of the outputs that have an answer a step; the others are the one vector that they are.
  case all
  /// What each output says for itself, in the order of the model's outputs.
  case each([Steps])

  /// Which steps one output reports.
  package enum Steps: String, Sendable, Equatable, CaseIterable {
    /// The final step only.
    case last
    /// Every step.
    case all
  }

  package init(_ steps: Steps) {
    self = steps == .all ? .all : .last
  }

  /// Which steps are asked of one output. Of an output that is one vector a sequence, `all` asks for that vector.
  package func steps(ofOutput index: Int) -> Steps {
    switch self {
    case .last: .last
    case .all: .all
    case .each(let steps): steps[index]
    }
  }
}

/// What a model answers for one sequence.
package struct Prediction: Sendable, Equatable {
  /// In the order of the model's outputs.
  package var outputs: [Output]
  /// What the sequence goes on from, where that was asked for.
  package var state: SequenceState?
  /// What the model's decoder made of the sequence, the best first; nil where its scores were not finite, or there is no decoder.
  package var decoded: [DecodedSequence]?

  package init(
    outputs: [Output], state: SequenceState? = nil, decoded: [DecodedSequence]? = nil
  ) {
    self.outputs = outputs
    self.state = state
    self.decoded = decoded
  }

  /// One output's values.
  package struct Output: Sendable, Equatable {
    /// Steps reported; nil where the output is one vector.
    package var rows: Int?
    /// Elements a step, or of the vector.
    package var size: Int
    /// rows × size, row-major.
    package var values: [Float]
    /// Of each step, 0 where decoding passes over it; nil where all count.
    package var mask: [Float]?

    package init(rows: Int?, size: Int, values: [Float], mask: [Float]? = nil) {
      self.rows = rows
      self.size = size
      self.values = values
      self.mask = mask
    }
  }
}
