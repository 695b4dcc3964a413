/// The steps that a prediction has for each output.
package enum Selection: Sendable, Equatable {
  /// The final step of every output.
  case last
  /// Every step of the outputs that have an answer at each step; the others are one vector.
  case all
  /// A choice for each output, in the order of the model's outputs.
  case each([Steps])

  /// The steps of one output.
  package enum Steps: String, Sendable, Equatable, CaseIterable {
    /// The final step only.
    case last
    /// Every step.
    case all
  }

  package init(_ steps: Steps) {
    self = steps == .all ? .all : .last
  }

  /// The steps selected for one output. For an output that is one vector, `all` selects the vector.
  package func steps(ofOutput index: Int) -> Steps {
    switch self {
    case .last: .last
    case .all: .all
    case .each(let steps): steps[index]
    }
  }
}

/// A model's answer for one sequence.
package struct Prediction: Sendable, Equatable {
  /// The outputs in the model's order.
  package var outputs: [Output]
  /// The state after the sequence, if asked for.
  package var state: SequenceState?
  /// The decoder's token sequences, the best first; nil without a decoder, or if scores were not finite.
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
    /// The number of steps; nil if the output is one vector.
    package var rows: Int?
    /// The elements of a step, or of the vector.
    package var size: Int
    /// rows × size, row-major.
    package var values: [Float]
    /// For each step, 0 if the decoding of labels skips it; nil if all steps count.
    package var mask: [Float]?

    package init(rows: Int?, size: Int, values: [Float], mask: [Float]? = nil) {
      self.rows = rows
      self.size = size
      self.values = values
      self.mask = mask
    }
  }
}
