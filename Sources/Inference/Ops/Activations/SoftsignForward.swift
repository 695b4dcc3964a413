import ModelFormat

struct SoftsignForward: ElementwiseForward {
  init(_ op: SoftsignOp, _ weights: NodeWeights) {}

  func value(of x: Double) -> Double {
    x / (1 + x.magnitude)
  }
}
