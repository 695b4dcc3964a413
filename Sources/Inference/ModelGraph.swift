import ModelFormat

/// A model ready to run, with weights packed for the kernels. Immutable; shared by threads.
package final class ModelGraph: Sendable {
  package let model: Model
  /// The precision of its recurrent networks' weights.
  package let precision: Precision
  let inputs: [GraphInput]
  let nodes: [GraphNode]
  let answers: [ReportedValue]
  /// The number of values that a turn reports.
  package var answerCount: Int { answers.count }
  let kernels: Kernels
  /// For each output, the decoder that finds its labels; nil for outputs without labels.
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
    var ops: [any OpForward] = []
    var domains = GraphDomains(model)
    var packedByteCount = 0
    for node in model.nodes {
      let op = try OpTable.forward(
        of: NodeWeights(
          node: node, tensors: model.tensors, precision: precision, kernels: kernels))
      domains.append(node, op)
      ops.append(op)
      packedByteCount += op.byteCount
      guard packedByteCount <= Self.maxPackedBytes else {
        throw .tooMany(
          "bytes of packed weights, up to node \"\(node.name)\"", found: packedByteCount,
          limit: Self.maxPackedBytes)
      }
    }
    isStreamable = domains.areStreamable(ops)
    let finals = model.finalLayers
    let kept = isStreamable ? domains.keptNodes : []
    var nodes: [GraphNode] = []
    var initialState: [Float] = []
    for (index, node) in model.nodes.enumerated() {
      let op = ops[index]
      func place(_ floats: [Float]) -> Range<Int> {
        let start = initialState.count
        initialState += floats
        return start..<initialState.count
      }
      let state = place(op.initialState(size: node.size))
      let maskState = place(node.mask == nil ? [] : op.maskState(size: node.size))
      let lastStep = place(
        kept.contains(index) ? Array(repeating: 0, count: node.size) : [])
      nodes.append(
        GraphNode(
          node, op: op, domain: domains.nodes[index], finalLayers: finals[index] ?? [],
          state: state,
          maskState: maskState, lastStep: lastStep))
      guard initialState.count <= Self.maxStateFloats else {
        throw .tooMany(
          "floats of state a sequence, up to node \"\(node.name)\"", found: initialState.count,
          limit: Self.maxStateFloats)
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
        domain: domains[.input(index)],
        axis: model.axis(of: .input(index)) ?? 0)
    }
    answers = model.answers.enumerated().map { index, output in
      let isSequence = if case .sequence = output.form { true } else { false }
      return ReportedValue(
        value: output.value, domain: domains[output.value],
        axis: model.axis(of: output.value) ?? 0, isSequence: isSequence,
        output: model.output(ofAnswer: index))
    }
    self.initialState = initialState
    decoder = try model.decoder.map { (decoder) throws(ModelError) in
      try DecoderGraph(decoder, precision: precision, kernels: kernels)
    }
    self.packedByteCount = packedByteCount + (decoder?.graph.packedByteCount ?? 0)
  }

  /// The version of the layout of a sequence's state, on which state tokens depend: 3 with sums over time, each in two floats
  /// (`PreciseSum`), else 1. In layout 2, sums beyond the range of a float were not kept.
  package var stateLayout: Int {
    nodes.contains { $0.op.addsOverTime } ? 3 : 1
  }

  /// Whether a sequence also carries steps, or what pools made of them, from step to step, beside the states of cells.
  package var carriesSteps: Bool {
    zip(model.nodes, nodes).contains { $0.recurrent == nil && !$1.state.isEmpty }
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
}
