import ModelFormat

struct ExpForward: ElementwiseForward {
  init(_ op: ExpOp, _ weights: NodeWeights) {}

  func value(of x: Double) -> Double { Elementary.exp(x) }
}
