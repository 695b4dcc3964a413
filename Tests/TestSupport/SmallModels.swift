import Inference
import ModelFormat

/// Models with random weights, made in memory.
package enum SmallModels {
  /// What `forecaster`'s graph is built around.
  package enum Shape: String, Sendable, CaseIterable {
    /// Two layers, the last step, a linear head: streamable.
    case streamable
    /// Bidirectional with a projection: needs the whole sequence.
    case bidirectional
    /// The mean, maximum and first step of the network's output, side by side: streamable, pools.
    case pooled
  }

  /// What a model's network is made of.
  package enum Cell: String, Sendable, CaseIterable {
    case lstm
    /// Peepholes, a clip, a coupled forget gate, activations of its own.
    case rareLSTM
    case gru
    case gruResetBefore
    /// A hard gate, and a candidate without a bound.
    case rareGRU
    case rnn
    case rnnReLU
    case mlstm

    package var op: ModelDescription.Op {
      switch self {
      case .lstm: return .lstm
      case .rareLSTM:
        var op = LSTMOp()
        op.gateActivation = CellActivation(.hardSigmoid(slope: 0.2))
        op.outputActivation = CellActivation(.softsign)
        op.clip = 1.5
        op.couplesForgetGate = true
        return .lstm(op)
      case .gru: return .gru
      case .gruResetBefore, .rareGRU:
        var op = GRUOp()
        op.reset = .before
        if self == .rareGRU {
          op.gateActivation = CellActivation(.hardSigmoid())
          op.activation = CellActivation(.elu())
        }
        return .gru(op)
      case .rnn: return .rnn
      case .rnnReLU:
        var op = RNNOp()
        op.activation = CellActivation(.relu)
        op.clip = 2
        return .rnn(op)
      case .mlstm: return .mlstm
      }
    }

    func network(
      inputSize: Int, hiddenSize: Int, directions: Int, projectionSize: Int? = nil
    ) -> RandomNetwork {
      RandomNetwork(
        op, inputSize: inputSize, hiddenSize: hiddenSize, layers: 2, directions: directions,
        projectionSize: projectionSize, hasPeepholes: self == .rareLSTM)
    }
  }

  /// A model of one feature that foretells its next two steps.
  package static func forecaster(
    _ shape: Shape = .streamable, cell: Cell = .lstm, name: String = "small", hiddenSize: Int = 12,
    projectionSize: Int = 5, seed: UInt64 = 1
  ) throws -> Model {
    var noise = Noise(seed: seed)
    var tensors: [(name: String, shape: [Int], floats: [Float])] = []
    func add(_ name: String, _ shape: [Int]) {
      tensors.append((name, shape, noise.floats(shape.reduce(1, *), scale: 0.5)))
    }
    let directions = shape == .bidirectional ? 2 : 1
    let network = cell.network(
      inputSize: 1, hiddenSize: hiddenSize, directions: directions,
      projectionSize: shape == .bidirectional ? projectionSize : nil)
    for (name, shape) in network.tensors { add("lstm.\(name)", shape) }
    var nodes = [
      ModelDescription.Node(name: "h", op: cell.op, inputs: ["x"], weights: "lstm")
    ]
    var head = "h"
    var headSize = directions * network.outputSize
    if shape == .pooled {
      nodes += [
        .init(name: "mean", op: .mean, inputs: ["h"], weights: nil),
        .init(name: "max", op: .max, inputs: ["h"], weights: nil),
        .init(name: "first", op: .first, inputs: ["h"], weights: nil),
        .init(name: "all", op: .concat, inputs: ["mean", "max", "first"], weights: nil),
      ]
      head = "all"
      headSize *= 3
    } else {
      nodes.append(.init(name: "last", op: .last, inputs: ["h"], weights: nil))
      head = "last"
    }
    nodes.append(.init(name: "y", op: .linear, inputs: [head], weights: "head"))
    add("head.weight", [2, headSize])
    add("head.bias", [2])
    return try Model(
      description: ModelDescription(
        name: name, version: "1", summary: nil, source: nil, licence: nil,
        inputs: [.init(name: "x", kind: .features(size: 1, mean: [0.5], scale: [2]))],
        nodes: nodes, outputs: [.init(name: "y", labels: nil, forecasts: "x")]),
      tensors: TensorFile(bytes: TensorFile.serialize(tensors)))
  }
}

extension SmallModels {
  /// What a writer's scores are.
  package enum Scores: String, Sendable, CaseIterable {
    case logits, logarithms, probabilities
  }

  /// A model of tokens that foretells the next one: an embedding, two layers, a linear head. Its scores are far
  /// apart, so that what is drawn depends on all that went before. A bidirectional one needs the whole text.
  package static func writer(
    size: Int = 11, vocabulary: [String]? = nil, scores: Scores = .logits, cell: Cell = .lstm,
    name: String = "writer", hiddenSize: Int = 12, isBidirectional: Bool = false, seed: UInt64 = 1
  ) throws -> Model {
    var noise = Noise(seed: seed)
    var tensors: [(name: String, shape: [Int], floats: [Float])] = []
    func add(_ name: String, _ shape: [Int], scale: Float = 1) {
      tensors.append((name, shape, noise.floats(shape.reduce(1, *), scale: scale)))
    }
    let size = vocabulary?.count ?? size
    add("embedding.weight", [size, 5], scale: 2)
    let directions = isBidirectional ? 2 : 1
    let network = cell.network(inputSize: 5, hiddenSize: hiddenSize, directions: directions)
    for (name, shape) in network.tensors { add("lstm.\(name)", shape) }
    add("head.weight", [size, directions * hiddenSize], scale: 3)
    var nodes: [ModelDescription.Node] = [
      .init(name: "e", op: .embedding, inputs: ["t"], weights: "embedding"),
      .init(name: "h", op: cell.op, inputs: ["e"], weights: "lstm"),
      .init(name: "y", op: .linear, inputs: ["h"], weights: "head"),
    ]
    switch scores {
    case .logits: break
    case .logarithms: nodes.append(.init(name: "next", op: .logSoftmax, inputs: ["y"]))
    case .probabilities: nodes.append(.init(name: "next", op: .softmax, inputs: ["y"]))
    }
    return try Model(
      description: ModelDescription(
        name: name, version: "1",
        inputs: [.init(name: "t", kind: .tokens(size: size, vocabulary: vocabulary))],
        nodes: nodes, outputs: [.init(name: nodes.last!.name, forecasts: "t")]),
      tensors: TensorFile(bytes: TensorFile.serialize(tensors)))
  }
}
