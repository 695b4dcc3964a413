import ModelFormat

struct SqrtForward: ElementwiseForward {
  init(_ op: SqrtOp, _ weights: NodeWeights) {}

  func value(of x: Double) -> Double { x.squareRoot() }
}
