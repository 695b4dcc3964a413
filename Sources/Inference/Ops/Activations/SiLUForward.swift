import ModelFormat

struct SiLUForward: ElementwiseForward {
  init(_ op: SiLUOp, _ weights: NodeWeights) {}

  func value(of x: Double) -> Double { x / (1 + Elementary.exp(-x)) }
}
