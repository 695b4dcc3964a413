import ModelFormat

struct GELUForward: ElementwiseForward {
  private let isApproximate: Bool

  init(_ op: GELUOp, _ weights: NodeWeights) {
    isApproximate = op.approximate == .tanh
  }

  func value(of x: Double) -> Double {
    // At −15 the result is below any float; clamping avoids NaN at −∞, where the limit is 0.
    let x = x < -15 ? -15 : x
    guard isApproximate else { return x * Elementary.normalDistribution(x) }
    // (1 + tanh u) / 2 = 1 / (1 + e^(−2u)), which keeps the digits of the tail.
    let u = 0.7978845608028654 * (x + 0.044715 * x * x * x)
    return x / (1 + Elementary.exp(-2 * u))
  }
}
