import ModelFormat

struct CosForward: ElementwiseForward {
  init(_ op: CosOp, _ weights: NodeWeights) {}

  func value(of x: Double) -> Double { Elementary.cos(Float(x)) }
}
