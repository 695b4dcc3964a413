import ModelFormat

struct ScaledTanhForward: ElementwiseForward {
  private let alpha: Double
  private let beta: Double

  init(_ op: ScaledTanhOp, _ weights: NodeWeights) {
    alpha = Double(op.alpha)
    beta = Double(op.beta)
  }

  func value(of x: Double) -> Double {
    // tanh z = E / (E + 2) for E = e²ᶻ − 1. It rounds to 1 long before z is 20.
    var z = beta * x
    z = z > 20 ? 20 : z < -20 ? -20 : z
    let e = Elementary.expMinusOne(2 * z)
    return alpha * (e / (e + 2))
  }
}
