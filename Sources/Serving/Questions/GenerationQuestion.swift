import Inference

/// A request to continue a text, checked against the model.
package struct GenerationQuestion: Sendable {
  /// What ends the text before `maxSteps`.
  package enum Stop: Sendable, Equatable {
    case texts([String])
    case tokens(Set<Int32>)
  }

  package let model: ServedModel
  package let prompt: InputSequence
  /// The most tokens to add.
  package let maxSteps: Int
  /// How tokens are chosen; a beam only for a model with a decoder.
  package let choice: Decoding.Choice
  package let stop: Stop
  /// Whether each token is sent as soon as it is chosen.
  package let streams: Bool
  package let timeout: Duration?

  /// The number of tokens if the client gives none.
  package static let defaultSteps = 256
  /// The most stops of a request, and the most bytes of each.
  package static let maxStops = 16
  package static let maxStopBytes = 256
  /// The range of seeds that the server draws: integers that JSON numbers hold exactly in every language.
  package static let drawnSeeds: ClosedRange<UInt64> = 0...(1 << 53)
  /// The temperatures that a client may ask for.
  package static let temperatures = 0.0...100.0

  package init(
    model: ServedModel, prompt: InputSequence, maxSteps: Int, choice: Decoding.Choice,
    stop: Stop,
    streams: Bool, timeout: Duration?
  ) {
    self.model = model
    self.prompt = prompt
    self.maxSteps = maxSteps
    self.choice = choice
    self.stop = stop
    self.streams = streams
    self.timeout = timeout
  }

  /// The text of each token; nil for a model without a vocabulary, which continues token ids.
  package var vocabulary: [String]? {
    if let decoder = model.graph.decoder?.decoder { return decoder.vocabulary }
    guard let (_, input, _) = model.graph.generation,
      case .tokens(_, let vocabulary) = model.inputs[input].kind
    else { preconditionFailure("a question to a model that does not continue text") }
    return vocabulary
  }

  /// The text between the texts of two tokens.
  package var separator: String { model.graph.decoder?.decoder.separator ?? "" }

  /// The seed of the random numbers; nil where none are drawn.
  package var seed: UInt64? {
    switch choice {
    case .sampling(let sampling): sampling.seed
    case .beam: nil
    }
  }

  /// The name of the output that scores the next token.
  package var scoresName: String {
    model.graph.generation.map { model.graph.model.outputs[$0.output].name }
      ?? model.decoderOutputName
  }
}
