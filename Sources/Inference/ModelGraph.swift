import ModelFormat

/// A model ready to run: its weights packed for the kernels, its plan fixed. Immutable, shared by threads.
package final class ModelGraph: Sendable {
  package let model: Model
  /// What the weights of its lstms are kept as.
  package let precision: Precision
  let nodes: [GraphNode]
  let kernels: Kernels

  /// Whether a sequence can ride step by step: no op needs the whole of it.
  package let isStreamable: Bool
  /// What a rider's state holds when it boards. Its size is the floats that a rider carries.
  package let initialState: [Float]
  /// Bytes of weights in memory.
  package let packedByteCount: Int

  /// The most floats that one sequence may carry from turn to turn: 4 MB, a hundred times what the
  /// largest networks in use have.
  static let maxStateFloats = 1 << 20
  /// The most bytes of weights, padding included: nodes may share tensors, but each packs its own.
  static let maxPackedBytes = 4 << 30

  /// Bytes of the largest recurrent matrix of its lstms.
  package var largestRecurrentByteCount: Int {
    nodes.lazy.flatMap { node in
      if case .lstm(let layers, _) = node.operation { layers } else { [LSTMLayer]() }
    }.map(\.recurrentWeights.byteCount).max() ?? 0
  }

  /// Packs the weights of `model`.
  ///
  /// - Throws: `ModelError` where a tensor's values can't be read as f32, or the model would take more
  ///   memory than `maxStateFloats` and `maxPackedBytes` allow.
  ///
  /// - Parameter precision: what the lstms' weights are kept as; nil for what the model asks for, else f32.
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
      let operation = try GraphNode.Operation(node, of: model, precision: precision)
      let inputDomains = node.inputs.map { Self.domain(of: $0, in: nodes, of: model) }
      let state = Self.initialState(of: operation, size: node.size)
      nodes.append(
        GraphNode(
          operation: operation, inputs: node.inputs, size: node.size,
          domain: Self.domain(of: operation, inputs: inputDomains),
          offersFinals: finals.contains(nodes.count),
          state: initialState.count..<initialState.count + state.count))
      initialState += state
      packedByteCount += operation.byteCount
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
    self.nodes = nodes
    self.initialState = initialState
    self.packedByteCount = packedByteCount
    isStreamable = !nodes.contains { $0.operation.needsWholeSequence } && !Self.restarts(nodes)
  }

  /// What a question that does not say gets: every step where an output has a value a step, else the last.
  package var defaultSelection: Selection {
    let hasSteps = model.outputs.contains { output in
      if case .sequence = output.form { true } else { false }
    }
    return hasSteps && supports(.all) ? .all : .last
  }

  /// Whether the model can answer for `selection`: every step is not to be had of a value that exists at
  /// the end of a sequence only.
  package func supports(_ selection: Selection) -> Bool {
    switch selection {
    case .last: true
    case .all:
      !nodes.contains { $0.operation.pools || $0.offersFinals } && !Self.restarts(nodes)
        && model.outputs.allSatisfy { domain(of: $0.value) != .riders }
    }
  }

  /// The output and the input of a forecaster: a model with one input, one of whose outputs foretells it.
  package var forecast: (output: Int, input: Int, stepCount: Int)? {
    guard model.description.inputs.count == 1,
      let output = model.outputs.firstIndex(where: { $0.forecasts != nil }),
      let input = model.outputs[output].forecasts,
      case .features(let size, _, _) = model.description.inputs[input].kind
    else { return nil }
    return (output, input, model.outputs[output].size / size)
  }

  /// The output and the input of a model that continues text: one whose scores foretell its tokens, and which goes on
  /// step by step.
  package var generation: (output: Int, input: Int, scale: TokenSampler.Scale)? {
    guard model.description.inputs.count == 1, isStreamable,
      let output = model.outputs.firstIndex(where: { $0.forecasts != nil }),
      let input = model.outputs[output].forecasts,
      case .tokens = model.description.inputs[input].kind
    else { return nil }
    var value = model.outputs[output].value
    // The last step of scores is scores of the same kind.
    while case .node(let node) = value, case .last = nodes[node].operation {
      value = nodes[node].inputs[0]
    }
    if case .node(let node) = value, case .softmax = nodes[node].operation {
      return (output, input, .probability)
    }
    return (output, input, .logarithm)
  }

  /// How many steps one forecast foretells; nil where the model is no forecaster.
  package var forecastSteps: Int? { forecast?.stepCount }

  /// The lstms whose final states something reads.
  private static func finals(in model: Model) -> Set<Int> {
    let references = model.nodes.flatMap(\.inputs) + model.outputs.map(\.value)
    return Set(
      references.compactMap { reference in
        switch reference {
        case .hidden(let index), .cell(let index): index
        case .input, .node: nil
        }
      })
  }

  func domain(of reference: Model.ValueReference) -> RowDomain {
    Self.domain(of: reference, in: nodes, of: model)
  }

  private static func domain(
    of reference: Model.ValueReference, in nodes: [GraphNode], of model: Model
  ) -> RowDomain {
    switch reference {
    case .input(let index):
      if case .vector = model.description.inputs[index].kind { .riders } else { .steps }
    case .node(let index): nodes[index].domain
    case .hidden, .cell: .reported
    }
  }

  private static func domain(of operation: GraphNode.Operation, inputs: [RowDomain]) -> RowDomain {
    switch operation {
    case .embedding, .lstm: .steps
    case .last, .pool, .softmaxSum: .reported
    case .linear, .sigmoid, .tanh, .relu, .softmax, .logSoftmax, .concat, .add, .multiply,
      .layerNorm, .affine, .l2Norm:
      inputs.contains(.reported) ? .reported : inputs[0]
    }
  }

  private static func initialState(of operation: GraphNode.Operation, size: Int) -> [Float] {
    switch operation {
    case .lstm(let layers, _):
      Array(repeating: 0, count: layers.reduce(0) { $0 + $1.outputSize + $1.hiddenSize })
    case .pool(.max): Array(repeating: -.infinity, count: size)
    case .pool: Array(repeating: 0, count: size)
    case .embedding, .linear, .sigmoid, .tanh, .relu, .softmax, .logSoftmax, .last, .concat, .add,
      .multiply, .softmaxSum, .layerNorm, .affine, .l2Norm:
      []
    }
  }

  /// Whether an lstm starts from what another part of the graph knows only at the end of the sequence.
  private static func restarts(_ nodes: [GraphNode]) -> Bool {
    nodes.contains { node in
      guard case .lstm = node.operation else { return false }
      return node.inputs.dropFirst().contains { reference in
        switch reference {
        case .hidden, .cell: true
        case .node(let index): nodes[index].domain == .reported
        case .input: false
        }
      }
    }
  }
}

extension GraphNode.Operation {
  /// Reads and packs the weights of a node.
  init(
    _ node: Model.ResolvedNode, of model: Model, precision: Precision
  ) throws(ModelError) {
    let prefix = node.weights ?? node.name
    let tensors = model.tensors
    func optional(_ name: String) throws(ModelError) -> [Float]? {
      tensors.contains("\(prefix).\(name)") ? try tensors.floats("\(prefix).\(name)") : nil
    }
    switch node.op {
    case .embedding: self = .embedding(try tensors.floats("\(prefix).weight"))
    case .lstm:
      guard let shape = node.lstm else { preconditionFailure("an lstm without its shape") }
      self = .lstm(
        try LSTMLayer.load(prefix: prefix, shape: shape, precision: precision, from: tensors),
        directions: shape.directions)
    case .linear:
      let weight = try tensors.floats("\(prefix).weight")
      self = .linear(
        Linear(
          inputSize: weight.count / node.size, outputSize: node.size, weight: weight,
          bias: try optional("bias")))
    case .sigmoid: self = .sigmoid
    case .tanh: self = .tanh
    case .relu: self = .relu
    case .softmax: self = .softmax
    case .logSoftmax: self = .logSoftmax
    case .last: self = .last
    case .first: self = .pool(.first)
    case .mean: self = .pool(.mean)
    case .sum: self = .pool(.sum)
    case .max: self = .pool(.max)
    case .concat: self = .concat
    case .add: self = .add
    case .multiply: self = .multiply
    case .softmaxSum: self = .softmaxSum
    case .layerNorm(let epsilon):
      self = .layerNorm(
        weight: try optional("weight"), bias: try optional("bias"), epsilon: epsilon)
    case .affine(let scale, let shift):
      guard let scale, let shift else { preconditionFailure("an affine not resolved") }
      self = .affine(scale: scale, shift: shift)
    case .l2Norm(let epsilon): self = .l2Norm(epsilon: epsilon)
    }
  }
}
