import ModelFormat

/// A model ready to run, with weights packed for the kernels. Immutable; shared by threads.
package final class ModelGraph: Sendable {
  package let model: Model
  /// The precision of its recurrent networks' weights.
  package let precision: Precision
  let inputs: [GraphInput]
  let nodes: [GraphNode]
  let answers: [GraphAnswer]
  /// How many values a turn reports.
  package var answerCount: Int { answers.count }
  let kernels: Kernels
  /// The decoder to labels of each output; nil for outputs without labels.
  package let decoders: [OutputDecoder?]
  /// The decoder that makes a token sequence from the graph's values; nil for a model that answers its outputs.
  package let decoder: DecoderGraph?

  /// Whether the model runs step by step: no op needs the whole sequence.
  package let isStreamable: Bool
  /// A rider's state when it boards.
  package let initialState: [Float]
  /// The number of floats that a sequence carries from step to step.
  package var stateFloatCount: Int { initialState.count }
  /// The bytes of weights in memory.
  package let packedByteCount: Int

  /// The most floats in the state of a sequence: 4 MB, a hundred times what the largest networks in use
  /// need.
  static let maxStateFloats = 1 << 20
  /// The most bytes of packed weights, padding included. Nodes may share tensors, but each packs its own copy.
  static let maxPackedBytes = 4 << 30

  /// The bytes of the largest recurrent matrix.
  package var largestRecurrentByteCount: Int {
    Swift.max(
      nodes.lazy.map(\.op.largestRecurrentByteCount).max() ?? 0,
      decoder?.graph.largestRecurrentByteCount ?? 0)
  }

  /// Packs the weights of `model`.
  ///
  /// - Throws: `ModelError` if a tensor's values can't be read as f32, or if the model exceeds
  ///   `maxStateFloats` or `maxPackedBytes`.
  ///
  /// - Parameter precision: the precision of recurrent networks' weights; nil for the one that the model asks for, or f32.
  package init(
    _ model: Model, precision: Precision? = nil, kernels: Kernels = .shared
  ) throws(ModelError) {
    let precision = precision ?? model.description.precision ?? .f32
    self.model = model
    self.precision = precision
    self.kernels = kernels
    let finals = Self.finals(in: model)
    var nodes: [GraphNode] = []
    var initialState: [Float] = []
    var packedByteCount = 0
    for node in model.nodes {
      let op = try OpTable.forward(
        of: NodeWeights(
          node: node, tensors: model.tensors, precision: precision, kernels: kernels))
      let inputDomains = node.inputs.map { Self.domain(of: $0, in: nodes, of: model) }
      let state = op.initialState(size: node.size)
      let maskState = node.mask == nil ? [] : op.maskState(size: node.size)
      let stateEnd = initialState.count + state.count
      nodes.append(
        GraphNode(
          node, op: op, domain: Self.domain(of: node, as: op.domain(of: inputDomains)),
          finalLayers: finals[nodes.count] ?? [], state: initialState.count..<stateEnd,
          maskState: stateEnd..<stateEnd + maskState.count))
      initialState += state + maskState
      packedByteCount += op.byteCount
      guard initialState.count <= Self.maxStateFloats else {
        throw .tooMany(
          "floats of state a sequence, up to node \"\(node.name)\"", found: initialState.count,
          limit: Self.maxStateFloats)
      }
      guard packedByteCount <= Self.maxPackedBytes else {
        throw .tooMany(
          "bytes of packed weights, up to node \"\(node.name)\"", found: packedByteCount,
          limit: Self.maxPackedBytes)
      }
    }
    var decoders: [OutputDecoder?] = []
    for output in model.outputs {
      decoders.append(try OutputDecoder(output, of: model, kernels: kernels))
      packedByteCount += decoders.last??.byteCount ?? 0
    }
    self.decoders = decoders
    self.nodes = nodes
    inputs = model.description.inputs.indices.map { index in
      GraphInput(
        domain: Self.domain(of: .input(index), in: nodes, of: model),
        axis: model.axis(of: .input(index)) ?? 0)
    }
    answers = model.answers.enumerated().map { index, output in
      let isSequence = if case .sequence = output.form { true } else { false }
      return GraphAnswer(
        value: output.value, domain: Self.domain(of: output.value, in: nodes, of: model),
        axis: model.axis(of: output.value) ?? 0, isSequence: isSequence,
        output: model.output(ofAnswer: index))
    }
    self.initialState = initialState
    decoder = try model.decoder.map { (decoder) throws(ModelError) in
      try DecoderGraph(decoder, precision: precision, kernels: kernels)
    }
    self.packedByteCount = packedByteCount + (decoder?.graph.packedByteCount ?? 0)
    isStreamable =
      model.axes.count == 1 && !nodes.contains { $0.op.needsWholeSequence } && !Self.restarts(nodes)
      && !Self.looksAhead(nodes, in: model)
  }

  /// The version of the layout of a sequence's state, on which state tokens depend: 3 with sums over time, each in two floats
  /// (`PreciseSum`), else 1. In layout 2, sums beyond the range of a float were not kept.
  package var stateLayout: Int {
    nodes.contains { $0.op.addsOverTime } ? 3 : 1
  }

  /// The model's forecast of its own input; nil if it does not forecast.
  package var forecast: Model.Forecast? { model.forecast }

  /// For a model that continues text: the output that scores the next token, and the input of tokens. If the model is not
  /// streamable, the whole text runs again for each token.
  package var generation: (output: Int, input: Int, scale: TokenSampler.Scale)? {
    guard model.description.inputs.count == 1,
      let output = model.outputs.firstIndex(where: { $0.forecasts != nil }),
      let input = model.outputs[output].forecasts,
      case .tokens = model.description.inputs[input].kind
    else { return nil }
    return (output, input, scale(ofOutput: output))
  }

  /// The scale of an output that scores tokens.
  func scale(ofOutput output: Int) -> TokenSampler.Scale {
    var value = model.outputs[output].value
    // `last` does not change the scale of scores.
    while case .node(let node) = value, model.nodes[node].op == .last {
      value = nodes[node].inputs[0]
    }
    if case .node(let node) = value, model.nodes[node].op == .softmax { return .probability }
    return .logarithm
  }

  /// The number of steps of a forecast; nil if the model does not forecast.
  package var forecastSteps: Int? { forecast?.stepCount }

  /// For each node, the layers of a recurrent network whose final states are read.
  private static func finals(in model: Model) -> [Int: Set<Int>] {
    var finals: [Int: Set<Int>] = [:]
    for reference in model.nodes.flatMap(\.inputs) + model.answers.map(\.value) {
      switch reference {
      case .hidden(let index, let layer), .cell(let index, let layer):
        finals[index, default: []].insert(layer)
      case .input, .node: break
      }
    }
    return finals
  }

  /// Only `last` over the first axis can be reported at each step; over other axes its value exists only at the end.
  private static func domain(of node: Model.ResolvedNode, as domain: RowDomain) -> RowDomain {
    domain == .reported && node.op == .last && node.axis != 0 ? .ends : domain
  }

  /// The axis of a value, an index in the model's `axes`; 0 for a vector.
  func axis(of reference: Model.ValueReference) -> Int {
    switch reference {
    case .input(let index): inputs[index].axis
    case .node(let index): nodes[index].valueAxis
    case .hidden, .cell: 0
    }
  }

  func domain(of reference: Model.ValueReference) -> RowDomain {
    switch reference {
    case .input(let index): inputs[index].domain
    case .node(let index): nodes[index].domain
    case .hidden, .cell: .ends
    }
  }

  private static func domain(
    of reference: Model.ValueReference, in nodes: [GraphNode], of model: Model
  ) -> RowDomain {
    switch reference {
    case .input(let index):
      if case .vector = model.description.inputs[index].kind { .riders } else { .steps }
    case .node(let index): nodes[index].domain
    case .hidden, .cell: .ends
    }
  }

  /// Whether a value with steps depends on one that is known only at the end of the sequence.
  private static func looksAhead(_ nodes: [GraphNode], in model: Model) -> Bool {
    nodes.contains { node in
      node.domain == .steps
        && node.inputs.contains {
          let domain = domain(of: $0, in: nodes, of: model)
          return domain == .reported || domain == .ends
        }
    }
  }

  /// Whether a recurrent network's initial state depends on a value that is known only at the end of the sequence.
  private static func restarts(_ nodes: [GraphNode]) -> Bool {
    nodes.contains { node in
      [node.initialHidden, node.initialCell].contains { reference in
        switch reference {
        case .hidden, .cell: true
        case .node(let index): nodes[index].domain != .riders
        case .input, nil: false
        }
      }
    }
  }
}
