/// How a decoder's tokens are chosen, and what is asked for beside them.
package struct Decoding: Sendable, Equatable {
  package enum Choice: Sendable, Equatable {
    /// A token a step; at a temperature of 0 the likeliest (greedy).
    case sampling(Sampling)
    /// The likeliest sequences, as far as a search finds them that goes on with so many at a time. A sequence's score is
    /// the logarithm of its probability, divided by its number of tokens to the power of `lengthPenalty`.
    case beam(width: Int, lengthPenalty: Double)
  }

  package var choice: Choice
  /// The most tokens, one that ends the sequence among them.
  package var maxSteps: Int
  /// How many sequences are answered at the most, the best first; one unless `choice` is a beam.
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

  /// Sequences that a search may go on with at a time: each takes as much as a rider.
  package static let widths = 1...64
  package static let lengthPenalties = 0.0...10.0

  /// Sequences that are under way at a time, at the most.
  package var width: Int {
    switch choice {
    case .sampling: 1
    case .beam(let width, _): width
    }
  }
}

extension Decoding {
  /// The memory that a sequence takes at the most while it is decoded: what the encoder hands over, what attention makes of it, and for each
  /// sequence of tokens under way its state twice, as a step makes a new one, its tokens, and the scores where they are kept.
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
  /// The likeliest token of each step.
  package static var greedy: Self { .sampling(Sampling(temperature: 0, seed: 0)) }
}

/// A sequence of tokens that a decoder came to.
package struct DecodedSequence: Sendable, Equatable {
  /// Why it ended.
  package enum End: Sendable, Equatable {
    /// With a token that ends it.
    case token
    /// It came to as many tokens as were asked for.
    case limit
    /// Its reader wanted no more.
    case reader
  }

  /// Without the token that ends it.
  package let tokens: [Int32]
  /// The logarithm of its probability, that of the token that ends it included; of a beam, divided as `Decoding.Choice` says.
  package let score: Double
  package let end: End
  /// The scores of all tokens at each step, the one that ends it included, a row a step; empty where they were not asked for.
  package let steps: [Float]
}
