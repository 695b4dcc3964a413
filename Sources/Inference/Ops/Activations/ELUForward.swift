import ModelFormat

struct ELUForward: ElementwiseForward {
  private let alpha: Double

  init(_ op: ELUOp, _ weights: NodeWeights) {
    alpha = Double(op.alpha)
  }

  func value(of x: Double) -> Double {
    x < 0 ? alpha * Elementary.expMinusOne(x) : x
  }
}
