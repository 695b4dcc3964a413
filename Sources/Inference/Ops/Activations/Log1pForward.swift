import ModelFormat

struct Log1pForward: ElementwiseForward {
  init(_ op: Log1pOp, _ weights: NodeWeights) {}

  func value(of x: Double) -> Double { Elementary.logOnePlus(x) }
}
