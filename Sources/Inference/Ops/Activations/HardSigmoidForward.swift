import ModelFormat

struct HardSigmoidForward: ElementwiseForward {
  private let slope: Double
  private let offset: Double

  init(_ op: HardSigmoidOp, _ weights: NodeWeights) {
    slope = Double(op.slope)
    offset = Double(op.offset)
  }

  func value(of x: Double) -> Double {
    let y = slope * x + offset
    return y < 0 ? 0 : y > 1 ? 1 : y
  }
}
