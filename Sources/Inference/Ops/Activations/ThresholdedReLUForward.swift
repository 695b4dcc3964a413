import ModelFormat

struct ThresholdedReLUForward: ElementwiseForward {
  private let alpha: Double

  init(_ op: ThresholdedReLUOp, _ weights: NodeWeights) {
    alpha = Double(op.alpha)
  }

  func value(of x: Double) -> Double {
    x > alpha ? x : x.isNaN ? x : 0
  }
}
