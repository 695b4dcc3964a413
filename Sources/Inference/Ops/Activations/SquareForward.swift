import ModelFormat

struct SquareForward: ElementwiseForward {
  init(_ op: SquareOp, _ weights: NodeWeights) {}

  func value(of x: Double) -> Double { x * x }
}
