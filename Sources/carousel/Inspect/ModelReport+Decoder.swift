import ModelFormat

extension ModelReport {
  /// The decoder of a sequence-to-sequence model.
  struct Decoder: Encodable {
    let inputs: [Input]
    let nodes: [Node]
    /// The output that scores the next token, and the number of tokens.
    let output: String
    let size: Int
    let start: Int32
    let end: [Int32]
    let maxSteps: Int
    /// Whether tokens have texts.
    let text: Bool

    struct Input: Encodable {
      let name: String
      let kind: String
      let size: Int
      /// The encoder's value for this input, or for its first step.
      let from: String?
      /// The decoder's value for this input at later steps.
      let next: String?
    }

    private enum CodingKeys: String, CodingKey {
      case inputs, nodes, output, size, start, end
      case maxSteps = "max_steps"
      case text
    }

    init(_ decoder: Model.Decoder, of model: Model) {
      let own = decoder.model
      inputs = zip(own.description.inputs, decoder.sources).map { input, source in
        let (from, next): (Int?, Int?) =
          switch source {
          case .token: (nil, nil)
          case .encoder(let place): (place, nil)
          case .feedback(let output, let first): (first, output)
          }
        return Input(
          name: input.name, kind: input.kind.form.kind, size: input.kind.size,
          from: from.map { model.decoded[$0].name }, next: next.map { own.outputs[$0].name })
      }
      nodes = ModelReport.nodes(of: own)
      output = own.outputs[0].name
      size = own.outputs[0].size
      start = decoder.start
      end = decoder.ends.sorted()
      maxSteps = decoder.maxSteps
      text = decoder.vocabulary != nil
    }
  }
}

extension ModelReport.Decoder.Input {
  /// The input's origin, for people.
  var origin: String {
    guard from != nil || next != nil else { return "the token before, an id below \(size)" }
    let first = from ?? "zeros"
    return "\(size), \(first)" + (next.map { ", then \($0) of the step before" } ?? "")
  }
}

extension ModelReport.Decoder {
  /// How decoding begins and ends, for people.
  var course: String {
    let ends = end.map { "\($0)" }.joined(separator: " or ")
    return "begins with \(start), ends "
      + (end.isEmpty ? "" : "with \(ends) or ") + "after \(maxSteps)"
  }
}
