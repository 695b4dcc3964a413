import ModelFormat

struct LeakyReLUForward: ElementwiseForward {
  private let slope: Double

  init(_ op: LeakyReLUOp, _ weights: NodeWeights) {
    slope = Double(op.slope)
  }

  func value(of x: Double) -> Double {
    x < 0 ? slope * x : x
  }
}
