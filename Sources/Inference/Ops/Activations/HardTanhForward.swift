import ModelFormat

struct HardTanhForward: ElementwiseForward {
  init(_ op: HardTanhOp, _ weights: NodeWeights) {}

  func value(of x: Double) -> Double {
    x < -1 ? -1 : x > 1 ? 1 : x
  }
}
