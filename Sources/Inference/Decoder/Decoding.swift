/// How a decoder chooses tokens, and what is answered beside them.
package struct Decoding: Sendable, Equatable {
  /// How the next token of each hypothesis is chosen.
  package enum Choice: Sendable, Equatable {
    /// Draws one token a step; at temperature 0 the likeliest (greedy).
    case sampling(Sampling)
    /// Beam search for the likeliest sequences, with `width` hypotheses at a time. A sequence's score is the logarithm of its
    /// probability, divided by its number of tokens to the power of `lengthPenalty`.
    case beam(width: Int, lengthPenalty: Double)
  }

  package var choice: Choice
  /// The most tokens, including the one that ends the sequence.
  package var maxSteps: Int
  /// The most sequences to answer, the best first; 1 unless `choice` is a beam.
  package var alternatives: Int
  /// Whether the scores of all tokens at each step are answered too.
  package var returnsSteps: Bool

  package init(
    choice: Choice = .greedy, maxSteps: Int, alternatives: Int = 1, returnsSteps: Bool = false
  ) {
    if case .beam(let width, let lengthPenalty) = choice {
      precondition(Self.widths.contains(width) && Self.lengthPenalties.contains(lengthPenalty))
      precondition((1...width).contains(alternatives))
    } else {
      precondition(alternatives == 1)
    }
    precondition(maxSteps > 0)
    self.choice = choice
    self.maxSteps = maxSteps
    self.alternatives = alternatives
    self.returnsSteps = returnsSteps
  }

  /// The widths that a beam may have; a hypothesis costs as much as a rider.
  package static let widths = 1...64
  package static let lengthPenalties = 0.0...10.0

  /// The most hypotheses at a time.
  package var width: Int {
    switch choice {
    case .sampling: 1
    case .beam(let width, _): width
    }
  }
}

extension Decoding {
  /// An upper bound on the bytes that decoding one sequence holds: the encoder's values (twice), the keys and values
  /// that attention packs, and for each hypothesis its state (twice, as a step makes a new one), its tokens, and the
  /// scores of its steps if they are answered.
  package func heldBytes(
    of decoder: DecoderGraph, of graph: ModelGraph, on sequence: InputSequence
  ) -> Int {
    let values = graph.model.decoded.reduce(0) { sum, value in
      guard case .sequence(let size) = value.form, let axis = value.axis else {
        return sum + value.size
      }
      return sum + size * graph.model.axes[axis].count(sequence.stepCounts)
    }
    let hypothesis =
      2 * decoder.hypothesisFloatCount + 2 * maxSteps
      + (returnsSteps ? maxSteps * decoder.scoreCount : 0)
    let sources = decoder.attentionFloatCount(of: graph, stepCounts: sequence.stepCounts)
    return MemoryLayout<Float>.size * (2 * values + sources + width * hypothesis) + 256 * width
  }
}

extension Decoding.Choice {
  /// Chooses the likeliest token at each step.
  package static var greedy: Self { .sampling(Sampling(temperature: 0, seed: 0)) }
}

/// A sequence of tokens that a decoder answers.
package struct DecodedSequence: Sendable, Equatable {
  /// Why a sequence ended.
  package enum End: Sendable, Equatable {
    /// Its last token is an end token.
    case token
    /// It has as many tokens as were asked for, and no end token.
    case limit
    /// The reader of the answer stopped it.
    case reader
  }

  /// The tokens without the end token.
  package let tokens: [Int32]
  /// The logarithm of the sequence's probability, the end token included; for a beam, divided as in `Decoding.Choice`.
  package let score: Double
  package let end: End
  /// The scores of all tokens, a row for each step, the step of the end token included; empty if not asked for.
  package let steps: [Float]
}
