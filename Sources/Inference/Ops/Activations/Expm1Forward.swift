import ModelFormat

struct Expm1Forward: ElementwiseForward {
  init(_ op: Expm1Op, _ weights: NodeWeights) {}

  func value(of x: Double) -> Double { Elementary.expMinusOne(x) }
}
