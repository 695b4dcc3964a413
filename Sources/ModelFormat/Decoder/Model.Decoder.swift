extension Model {
  /// The decoder of a sequence-to-sequence model, checked.
  package final class Decoder: Sendable {
    /// Its graph: the first output scores the next token, the others are what is fed back.
    package let model: Model
    /// Where each input of the graph comes from; the first is the token of the step.
    package let sources: [Source]
    /// The text of each token, where the model says.
    package let vocabulary: [String]?
    /// What stands between them in a text.
    package let separator: String
    package let start: Int32
    package let ends: Set<Int32>
    /// The most tokens, one that ends the sequence among them.
    package let maxSteps: Int

    package enum Source: Sendable, Equatable {
      case token
      /// A value of the encoder, by its place in the encoder's `decoded`.
      case encoder(Int)
      /// What the decoder's output of that index was at the step before; at the first step the encoder's value, or zeros.
      case feedback(output: Int, first: Int?)
    }

    init(_ resolver: DecoderResolver, _ model: Model) {
      self.model = model
      sources = resolver.sources
      vocabulary = resolver.vocabulary
      separator = resolver.separator
      start = resolver.start
      ends = resolver.ends
      maxSteps = resolver.maxSteps
    }
  }
}
