import ModelFormat

struct SELUForward: ElementwiseForward {
  init(_ op: SELUOp, _ weights: NodeWeights) {}

  func value(of x: Double) -> Double {
    1.0507009873554805 * (x < 0 ? 1.6732632423543772 * Elementary.expMinusOne(x) : x)
  }
}
