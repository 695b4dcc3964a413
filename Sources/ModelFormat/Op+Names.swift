extension ModelDescription.Op {
  /// Every op as it is without attributes, in FORMAT.md's order.
  static let all: [ModelDescription.Op] = [
    .embedding, .lstm, .linear, .sigmoid, .tanh, .relu, .softmax, .logSoftmax, .last, .first,
    .mean, .max, .sum, .concat, .add, .multiply, .softmaxSum, .layerNorm(epsilon: 1e-5),
    .affine(scale: nil, shift: nil), .l2Norm(epsilon: 1e-12),
  ]

  /// The op's name in `model.json`.
  package var name: String {
    switch self {
    case .embedding: "embedding"
    case .lstm: "lstm"
    case .linear: "linear"
    case .sigmoid: "sigmoid"
    case .tanh: "tanh"
    case .relu: "relu"
    case .softmax: "softmax"
    case .logSoftmax: "log_softmax"
    case .last: "last"
    case .first: "first"
    case .mean: "mean"
    case .max: "max"
    case .sum: "sum"
    case .concat: "concat"
    case .add: "add"
    case .multiply: "multiply"
    case .softmaxSum: "softmax_sum"
    case .layerNorm: "layer_norm"
    case .affine: "affine"
    case .l2Norm: "l2_norm"
    }
  }

  /// Whether the op reads tensors, so that a node may name their prefix.
  package var hasTensors: Bool {
    switch self {
    case .embedding, .lstm, .linear, .layerNorm, .affine: true
    case .sigmoid, .tanh, .relu, .softmax, .logSoftmax, .last, .first, .mean, .max, .sum, .concat,
      .add, .multiply, .softmaxSum, .l2Norm:
      false
    }
  }

  /// How many inputs the op takes.
  var inputCount: ClosedRange<Int> {
    switch self {
    case .lstm: 1...3
    case .concat, .add, .multiply: 2...ModelLimits.nodeInputs
    case .softmaxSum: 2...2
    case .embedding, .linear, .sigmoid, .tanh, .relu, .softmax, .logSoftmax, .last, .first, .mean,
      .max, .sum, .layerNorm, .affine, .l2Norm:
      1...1
    }
  }
}
