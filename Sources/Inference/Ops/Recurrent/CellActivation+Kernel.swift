import CKernels
import ModelFormat

extension CellActivation? {
  /// The kernels' activation for a direction (0 or 1); `common` if the op names no activations.
  func kernel(_ direction: Int, or common: ck_activation) -> ck_activation {
    self.map { ck_activation($0[direction]) } ?? common
  }
}

extension ck_activation {
  /// The kernels' activation for an op of `CellActivation.known`, with the op's attributes.
  init(_ op: ModelDescription.Op) {
    self.init()
    switch op.definition {
    case is SigmoidOp: kind = CK_SIGMOID
    case is TanhOp: kind = CK_TANH
    case is ReLUOp: kind = CK_RELU
    case let op as HardSigmoidOp:
      self = ck_activation(kind: CK_HARD_SIGMOID, alpha: op.slope, beta: op.offset)
    case is HardTanhOp: kind = CK_HARD_TANH
    case is SiLUOp: kind = CK_SILU
    case let op as LeakyReLUOp:
      self = ck_activation(kind: CK_LEAKY_RELU, alpha: op.slope, beta: 0)
    case let op as ThresholdedReLUOp:
      self = ck_activation(kind: CK_THRESHOLDED_RELU, alpha: op.alpha, beta: 0)
    case let op as ELUOp: self = ck_activation(kind: CK_ELU, alpha: op.alpha, beta: 1)
    case is SELUOp: self = ck_activation(kind: CK_ELU, alpha: 1.7580993, beta: 1.050701)
    case is SoftplusOp: kind = CK_SOFTPLUS
    case let op as ScaledTanhOp:
      self = ck_activation(kind: CK_SCALED_TANH, alpha: op.alpha, beta: op.beta)
    case is ExpOp: kind = CK_EXPONENTIAL
    case is SoftsignOp: kind = CK_SOFTSIGN
    case let op as AffineOp:
      self = ck_activation(
        kind: CK_AFFINE, alpha: op.scale?.first ?? 1, beta: op.shift?.first ?? 0)
    default: preconditionFailure("no cell has the activation \(op.name)")
    }
  }

  /// Whether the activation's values lie within ±1.
  var isBounded: Bool {
    [CK_SIGMOID, CK_TANH, CK_HARD_SIGMOID, CK_HARD_TANH, CK_SOFTSIGN].contains(kind)
  }
}
