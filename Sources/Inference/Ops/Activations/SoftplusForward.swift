import ModelFormat

struct SoftplusForward: ElementwiseForward {
  private let beta: Double
  private let threshold: Double

  init(_ op: SoftplusOp, _ weights: NodeWeights) {
    beta = Double(op.beta)
    threshold = Double(op.threshold)
  }

  func value(of x: Double) -> Double {
    let scaled = beta * x
    if scaled > threshold { return x }
    // log(1 + eᶻ) = max(z, 0) + log(1 + e⁻ˡᶻˡ): no exponential overflows.
    let rest = Elementary.logOfOnePlus(Elementary.exp(-scaled.magnitude))
    return ((scaled < 0 ? 0 : scaled) + rest) / beta
  }
}
