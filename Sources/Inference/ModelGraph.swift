import ModelFormat

/// A model ready to run: its weights packed for the kernels, its plan fixed. Immutable, shared by threads.
package final class ModelGraph: Sendable {
  package let model: Model
  /// What the weights of its recurrent networks are kept as.
  package let precision: Precision
  let inputs: [GraphInput]
  let nodes: [GraphNode]
  let answers: [GraphAnswer]
  /// How many values a turn reports.
  package var answerCount: Int { answers.count }
  let kernels: Kernels
  /// How the numbers of each output become labels; nil for those that have none.
  package let decoders: [OutputDecoder?]
  /// What makes a sequence of tokens of the graph's values; nil where the outputs are all that it answers.
  package let decoder: DecoderGraph?

  /// Whether a sequence can ride step by step: no op needs the whole of it.
  package let isStreamable: Bool
  /// What a rider's state holds when it boards. Its size is the floats that a rider carries.
  package let initialState: [Float]
  /// The floats that a sequence carries from step to step.
  package var stateFloatCount: Int { initialState.count }
  /// Bytes of weights in memory.
  package let packedByteCount: Int

  /// The most floats that one sequence may carry from turn to turn: 4 MB, a hundred times what the
  /// largest networks in use have.
  static let maxStateFloats = 1 << 20
  /// The most bytes of weights, padding included: nodes may share tensors, but each packs its own.
  static let maxPackedBytes = 4 << 30

  /// Bytes of the largest recurrent matrix.
  package var largestRecurrentByteCount: Int {
    Swift.max(
      nodes.lazy.map(\.op.largestRecurrentByteCount).max() ?? 0,
      decoder?.graph.largestRecurrentByteCount ?? 0)
  }

  /// Packs the weights of `model`.
  ///
  /// - Throws: `ModelError` where a tensor's values can't be read as f32, or the model would take more
  ///   memory than `maxStateFloats` and `maxPackedBytes` allow.
  ///
  /// - Parameter precision: what recurrent networks' weights are kept as; nil for what the model asks for, else f32.
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

  /// The arrangement of the floats in a sequence's state, which its tokens depend on: 3 where sums over time are there, each
  /// in two floats (`PreciseSum`; of a layout 2, none was kept in units), else 1.
  package var stateLayout: Int {
    nodes.contains { $0.op.addsOverTime } ? 3 : 1
  }

  /// What a forecaster foretells of its one input.
  package var forecast: Model.Forecast? { model.forecast }

  /// The output and the input of a model that continues text: one whose scores foretell its tokens. Where it is not
  /// streamable, the whole text runs again for each token.
  package var generation: (output: Int, input: Int, scale: TokenSampler.Scale)? {
    guard model.description.inputs.count == 1,
      let output = model.outputs.firstIndex(where: { $0.forecasts != nil }),
      let input = model.outputs[output].forecasts,
      case .tokens = model.description.inputs[input].kind
    else { return nil }
    return (output, input, scale(ofOutput: output))
  }

  /// What an output that scores tokens says of each.
  func scale(ofOutput output: Int) -> TokenSampler.Scale {
    var value = model.outputs[output].value
    // The last step of scores is scores of the same kind.
    while case .node(let node) = value, model.nodes[node].op == .last {
      value = nodes[node].inputs[0]
    }
    if case .node(let node) = value, model.nodes[node].op == .softmax { return .probability }
    return .logarithm
  }

  /// How many steps one forecast foretells; nil where the model is no forecaster.
  package var forecastSteps: Int? { forecast?.stepCount }

  /// The layers of each recurrent network whose final states something reads.
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

  /// What is read off at each step is so where the steps are those of the first input: others come out together.
  private static func domain(of node: Model.ResolvedNode, as domain: RowDomain) -> RowDomain {
    domain == .reported && node.op == .last && node.axis != 0 ? .ends : domain
  }

  /// The steps of a value, an index in the model's `axes`; 0 of a vector.
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

  /// Whether steps are made of what is known only at the end of the sequence.
  private static func looksAhead(_ nodes: [GraphNode], in model: Model) -> Bool {
    nodes.contains { node in
      node.domain == .steps
        && node.inputs.contains {
          let domain = domain(of: $0, in: nodes, of: model)
          return domain == .reported || domain == .ends
        }
    }
  }

  /// Whether a recurrent network starts from what another part of the graph knows only at the end of the sequence.
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
