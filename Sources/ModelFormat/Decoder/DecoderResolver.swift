import JSON

/// Builds the graph of a decoder from its description and checks it. Its inputs have the forms of the encoder's values.
struct DecoderResolver {
  private(set) var graph: GraphResolver
  /// The source of each input of the graph; the first is the step's token.
  private(set) var sources: [Model.Decoder.Source] = []
  /// The encoder's values that the decoder reads.
  private let values: [Model.ResolvedOutput]
  let vocabulary: [String]?
  let separator: String
  let start: Int32
  let ends: Set<Int32>
  let maxSteps: Int

  /// - Parameter values: the encoder's values that the decoder reads, by the indices of the decoder's inputs.
  init(
    _ decoder: ModelDescription.Decoder, of model: ModelDescription,
    values: [Int: Model.ResolvedOutput], tensors: TensorFile
  ) throws(ModelError) {
    let tokenInput: Int
    (tokenInput, vocabulary) = try Self.tokenInput(of: decoder)
    separator = decoder.separator ?? ""
    if let separator = decoder.separator, vocabulary == nil {
      throw .unexpected(
        path: "decoder.separator", found: separator.jsonExcerpt,
        expected: "none, as the decoder has no vocabulary")
    }
    guard decoder.outputs.count == 1 else {
      throw .unexpected(
        path: "decoder.outputs", found: "\(decoder.outputs.count) outputs",
        expected: "one: the scores of the next token")
    }
    guard model.outputs.isEmpty else {
      throw .unexpected(
        path: "outputs", found: "\(model.outputs.count) beside a decoder",
        expected: "none: the tokens of the decoder are the answer")
    }
    var outputs = decoder.outputs
    let more = outputs[0]
    let others: [(key: String, isThere: Bool)] = [
      ("labels", more.labels != nil), ("decode", more.decode != nil),
      ("reconstructs", more.reconstructs != nil), ("quantiles", more.quantiles != nil),
      ("feedback", more.feedback != nil),
    ]
    if let (key, _) = others.first(where: \.isThere) {
      throw .unexpected(
        path: "decoder.outputs[0].\(key)", found: "something",
        expected:
          "none: the output scores the tokens of \(decoder.inputs[tokenInput].name.jsonExcerpt)")
    }
    outputs[0].forecasts = outputs[0].forecasts ?? decoder.inputs[tokenInput].name
    var inputs: [ModelDescription.Input] = []
    // The token's axis has to come first: the graph runs by the steps of the first axis.
    let order = [tokenInput] + decoder.inputs.indices.filter { $0 != tokenInput }
    for index in order {
      let (source, input) = try Self.source(
        of: decoder.inputs[index], path: "decoder.inputs[\(index)]", value: values[index],
        place: values.keys.count { $0 < index }, outputs: &outputs)
      sources.append(source)
      inputs.append(input)
    }
    self.values = values.sorted { $0.key < $1.key }.map(\.value)
    let description = ModelDescription(
      name: model.name, version: model.version, inputs: inputs, nodes: decoder.nodes,
      outputs: outputs)
    do { graph = try GraphResolver(description, tensors: tensors) } catch {
      throw .inDecoder(error)
    }
    guard graph.outputs[0].forecasts == 0 else {
      throw .unexpected(
        path: "decoder.outputs[0].forecasts", found: outputs[0].forecasts?.jsonExcerpt ?? "nothing",
        expected: decoder.inputs[tokenInput].name.jsonExcerpt)
    }
    try Self.checkFeedback(decoder, order: order, sources: sources, graph: graph)
    let size = inputs[0].kind.size
    start = try decoder.start.id(path: "decoder.start", vocabulary: vocabulary, size: size)
    var ends: Set<Int32> = []
    for (index, token) in decoder.end.enumerated() {
      let path = decoder.end.count == 1 ? "decoder.end" : "decoder.end[\(index)]"
      ends.insert(try token.id(path: path, vocabulary: vocabulary, size: size))
    }
    self.ends = ends
    guard decoder.maxSteps > 0 else {
      throw .unexpected(path: "decoder.max_steps", found: "0", expected: "at least 1")
    }
    guard decoder.maxSteps <= ModelLimits.decoderSteps else {
      throw .tooMany(
        "decoder.max_steps", found: decoder.maxSteps, limit: ModelLimits.decoderSteps)
    }
    maxSteps = decoder.maxSteps
  }

  /// The index of the decoder's only tokens input, and its vocabulary.
  private static func tokenInput(
    of decoder: ModelDescription.Decoder
  ) throws(ModelError) -> (Int, vocabulary: [String]?) {
    var found: [(Int, [String]?)] = []
    for (index, input) in decoder.inputs.enumerated() {
      if case .tokens(_, let vocabulary) = input.source { found.append((index, vocabulary)) }
    }
    guard found.count == 1 else {
      throw .unexpected(
        path: "decoder.inputs", found: "\(found.count) of tokens",
        expected: "one of \"kind\": \"tokens\", which holds the token of the step")
    }
    return found[0]
  }

  /// The source of an input, and the input of the graph. A value that is fed back becomes an output of the graph.
  private static func source(
    of input: ModelDescription.Decoder.Input, path: String, value: Model.ResolvedOutput?,
    place: Int, outputs: inout [ModelDescription.Output]
  ) throws(ModelError) -> (Model.Decoder.Source, ModelDescription.Input) {
    func described(
      _ kind: ModelDescription.Input.Kind, axis: String? = nil
    ) -> ModelDescription.Input {
      ModelDescription.Input(name: input.name, kind: kind, axis: axis)
    }
    switch input.source {
    case .tokens(let size, let vocabulary):
      return (.token, described(.tokens(size: size, vocabulary: vocabulary)))
    case .encoder:
      guard let value else { preconditionFailure("a value of the encoder is not resolved") }
      guard case .sequence(let size) = value.form else {
        return (.encoder(place), described(.vector(size: value.size)))
      }
      // Encoder values of the same axis share an axis in the decoder too.
      return (
        .encoder(place),
        described(
          .features(size: size, mean: nil, scale: nil), axis: "encoder.\(value.axis ?? 0)")
      )
    case .feedback(let name, let first):
      let output = outputs.firstIndex { $0.name == name } ?? outputs.count
      if output == outputs.count { outputs.append(ModelDescription.Output(name: name)) }
      switch first {
      case .zeros(let size):
        return (
          .feedback(output: output, first: nil),
          described(.features(size: size, mean: nil, scale: nil))
        )
      case .encoder:
        guard let value else { preconditionFailure("a value of the encoder is not resolved") }
        guard case .vector(let size) = value.form else {
          throw .inputForm(
            path: "\(path).from", op: "the first step", name: value.name, found: value.form,
            expected: "a vector")
        }
        return (
          .feedback(output: output, first: place),
          described(.features(size: size, mean: nil, scale: nil))
        )
      }
    }
  }

  /// Checks that a value that is fed back has the size of its input.
  private static func checkFeedback(
    _ decoder: ModelDescription.Decoder, order: [Int], sources: [Model.Decoder.Source],
    graph: GraphResolver
  ) throws(ModelError) {
    for (place, source) in sources.enumerated() {
      guard case .feedback(let output, _) = source else { continue }
      let index = order[place]
      let (found, size) = (graph.outputs[output], graph.description.inputs[place].kind.size)
      guard found.size == size else {
        throw .inputForm(
          path: "decoder.inputs[\(index)].next", op: decoder.inputs[index].name.jsonExcerpt,
          name: found.name, found: found.form, expected: "a value of size \(size)")
      }
    }
  }
}

extension DecoderResolver {
  /// Bounds the steps of the encoder's values to as many as the decoder accepts.
  func boundSteps(of encoder: inout GraphResolver) throws(ModelError) {
    for (source, input) in zip(sources, graph.description.inputs) {
      guard case .encoder(let place) = source, let own = input.axis,
        let axis = graph.axes.inputAxes.first(where: {
          graph.description.inputs[$0.input].axis == own
        })
      else { continue }
      try encoder.bound(
        values[place], axis.least...axis.most, node: axis.neededBy ?? input.name,
        path: "decoder.\(input.name)")
    }
  }
}

extension ModelDescription.Decoder.Token {
  fileprivate func id(
    path: String, vocabulary: [String]?, size: Int
  ) throws(ModelError) -> Int32 {
    switch self {
    case .id(let id):
      guard id < size else {
        throw .unexpected(path: path, found: "\(id)", expected: "an id from 0 to \(size - 1)")
      }
      return Int32(id)
    case .text(let text):
      guard let vocabulary else {
        throw .unexpected(
          path: path, found: text.jsonExcerpt,
          expected: "an id, as the decoder has no vocabulary")
      }
      guard let id = vocabulary.firstIndex(of: text) else {
        throw .unexpected(
          path: path, found: text.jsonExcerpt, expected: "a text of the decoder's vocabulary")
      }
      return Int32(id)
    }
  }
}
