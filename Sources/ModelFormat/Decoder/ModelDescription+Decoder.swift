extension ModelDescription {
  /// The decoder of a sequence-to-sequence model: a second graph that starts from values of the model's own (the
  /// encoder), and whose token at each step is drawn from its scores at the step before.
  package struct Decoder: Sendable, Equatable {
    package var inputs: [Input]
    package var nodes: [Node]
    /// One: the scores of the next token.
    package var outputs: [Output]
    /// The token of the first step.
    package var start: Token
    /// The tokens that end a sequence; none where it ends at its limit alone.
    package var end: [Token]
    /// The most tokens, one that ends the sequence among them.
    package var maxSteps: Int
    /// What stands between the texts of tokens; nil for nothing.
    package var separator: String?

    package init(
      inputs: [Input], nodes: [Node], outputs: [Output], start: Token, end: [Token] = [],
      maxSteps: Int, separator: String? = nil
    ) {
      self.inputs = inputs
      self.nodes = nodes
      self.outputs = outputs
      self.start = start
      self.end = end
      self.maxSteps = maxSteps
      self.separator = separator
    }

    package struct Input: Sendable, Equatable {
      package var name: String
      package var source: Source

      package init(name: String, source: Source) {
        self.name = name
        self.source = source
      }

      package enum Source: Sendable, Equatable {
        /// The token of the step.
        case tokens(size: Int, vocabulary: [String]?)
        /// A value of the encoder, by its name: the same at every step.
        case encoder(String)
        /// At each step the value that a node of the decoder had at the step before; at the first step a vector of the
        /// encoder by its name, or zeros.
        case feedback(of: String, first: First)
      }

      /// What is fed back before there is anything to feed back.
      package enum First: Sendable, Equatable {
        case encoder(String)
        case zeros(size: Int)
      }
    }

    /// A token by its id or by its text in the vocabulary.
    package enum Token: Sendable, Equatable {
      case id(Int)
      case text(String)
    }
  }
}

extension ModelDescription.Decoder {
  /// Names of encoder values that the decoder reads, and where each stands.
  var encoderValues: [(input: Int, name: String)] {
    inputs.enumerated().compactMap { index, input in
      switch input.source {
      case .encoder(let name), .feedback(_, .encoder(let name)): (index, name)
      case .tokens, .feedback(_, .zeros): nil
      }
    }
  }
}
