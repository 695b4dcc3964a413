import ModelFormat

struct AbsForward: ElementwiseForward {
  init(_ op: AbsOp, _ weights: NodeWeights) {}

  func value(of x: Double) -> Double { x.magnitude }
}
