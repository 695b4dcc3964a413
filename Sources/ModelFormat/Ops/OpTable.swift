extension ModelDescription.Op {
  /// Every op with the defaults of its attributes, in FORMAT.md's order.
  package static let all: [ModelDescription.Op] = [
    .embedding,
    .lstm,
    .linear,
    .sigmoid,
    .tanh,
    .relu,
    .hardSigmoid(),
    .gelu(),
    .leakyReLU(),
    .elu(),
    .softmax,
    .logSoftmax,
    .last,
    .first,
    .mean,
    .max,
    .sum,
    .concat,
    .add,
    .multiply,
    .softmaxSum,
    .layerNorm(epsilon: 1e-5),
    .affine(scale: nil, shift: nil),
    .l2Norm(epsilon: 1e-12),
  ]
}
