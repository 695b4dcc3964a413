import ModelFormat

/// Which rows a value has within a turn.
enum RowDomain: Sendable, Equatable {
  /// A row a step of each rider, as PackedLayout places them.
  case steps
  /// A row a rider, known from its boarding on: the model's vector inputs and what is computed from them.
  case riders
  /// A row a reported step: the final one of a rider that finishes, or all of a rider's that asks for every step of an
  /// output that is computed from `last`.
  case reported
  /// A row a rider that finishes: what exists at the end of a sequence only.
  case ends
}

/// A node ready to run: its weights packed, its inputs found.
struct GraphNode: Sendable {
  let operation: Operation
  let inputs: [Model.ValueReference]
  /// Elements a row.
  let size: Int
  let domain: RowDomain
  /// Of an lstm, the layers whose final states something reads.
  let finalLayers: Set<Int>
  /// Of an lstm, where its initial states come from; nil where they are zero.
  let initialHidden: Model.ValueReference?
  let initialCell: Model.ValueReference?
  /// Where the node's floats lie in a rider's state; empty where it has none.
  let state: Range<Int>

  enum Operation: Sendable {
    /// vocabulary × size, a row an id.
    case embedding([Float])
    /// Layer by layer, forward then reverse.
    case lstm([LSTMLayer], directions: Int)
    case linear(Linear)
    case sigmoid, tanh, relu
    case softmax, logSoftmax
    /// The reported rows of a sequence.
    case last
    case pool(Pool)
    case concat, add, multiply
    case softmaxSum
    case layerNorm(weight: [Float]?, bias: [Float]?, epsilon: Float)
    case affine(scale: [Float], shift: [Float])
    case l2Norm(epsilon: Float)
  }

  /// What a sequence is reduced to, step by step, in the rider's state.
  enum Pool: Sendable {
    case first, mean, sum, max

    /// Whether it adds the steps up.
    var adds: Bool {
      switch self {
      case .mean, .sum: true
      case .first, .max: false
      }
    }
  }
}

extension GraphNode.Operation {
  /// Whether the op needs every step of a sequence at once.
  var needsWholeSequence: Bool {
    switch self {
    case .lstm(let layers, _): layers.contains(where: \.isReverse)
    case .softmaxSum: true
    case .embedding, .linear, .sigmoid, .tanh, .relu, .softmax, .logSoftmax, .last, .pool, .concat,
      .add, .multiply, .layerNorm, .affine, .l2Norm:
      false
    }
  }

  /// Bytes of weights as the op holds them.
  var byteCount: Int {
    switch self {
    case .embedding(let table): table.count * MemoryLayout<Float>.stride
    case .lstm(let layers, _): layers.reduce(0) { $0 + $1.byteCount }
    case .linear(let linear): linear.byteCount
    case .layerNorm(let weight, let bias, _):
      ((weight?.count ?? 0) + (bias?.count ?? 0)) * MemoryLayout<Float>.stride
    case .affine(let scale, let shift): (scale.count + shift.count) * MemoryLayout<Float>.stride
    case .sigmoid, .tanh, .relu, .softmax, .logSoftmax, .last, .pool, .concat, .add, .multiply,
      .softmaxSum, .l2Norm:
      0
    }
  }
}
