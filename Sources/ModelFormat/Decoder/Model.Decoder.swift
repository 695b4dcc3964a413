extension Model {
  /// The decoder of a sequence-to-sequence model, checked.
  package final class Decoder: Sendable {
    /// The decoder's graph: the first output scores the next token, the others are fed back.
    package let model: Model
    /// The source of each input of the graph; the first is the step's token.
    package let sources: [Source]
    /// The text of each token; nil without a vocabulary.
    package let vocabulary: [String]?
    /// The text between two tokens' texts.
    package let separator: String
    package let start: Int32
    package let ends: Set<Int32>
    /// The most tokens, including the one that ends the sequence.
    package let maxSteps: Int

    package enum Source: Sendable, Equatable {
      case token
      /// A value of the encoder, by its index in the encoder's `decoded`.
      case encoder(Int)
      /// The decoder's output `output` at the previous step. At the first step: the encoder's value `first`, an index
      /// in `decoded`, or zeros if nil.
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
