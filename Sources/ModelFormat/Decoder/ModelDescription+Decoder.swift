extension ModelDescription {
  /// The decoder of a sequence-to-sequence model: a second graph that starts from values of the model's own graph (the
  /// encoder). The token of each step is chosen by the decoder's scores of the previous step.
  package struct Decoder: Sendable, Equatable {
    package var inputs: [Input]
    package var nodes: [Node]
    /// One output: the scores of the next token.
    package var outputs: [Output]
    /// The token of the first step.
    package var start: Token
    /// The tokens that end a sequence; empty if sequences end only at their limit.
    package var end: [Token]
    /// The most tokens, including the one that ends the sequence.
    package var maxSteps: Int
    /// The text between two tokens' texts; nil for none.
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
        /// The value of a node of the decoder at the previous step; at the first step a vector of the encoder by its name,
        /// or zeros.
        case feedback(of: String, first: First)
      }

      /// The value of a fed-back input at the first step.
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
  /// The names of the encoder's values that the decoder reads, with the index of the input that names each.
  var encoderValues: [(input: Int, name: String)] {
    inputs.enumerated().compactMap { index, input in
      switch input.source {
      case .encoder(let name), .feedback(_, .encoder(let name)): (index, name)
      case .tokens, .feedback(_, .zeros): nil
      }
    }
  }
}
