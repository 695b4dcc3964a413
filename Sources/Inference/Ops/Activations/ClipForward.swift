import ModelFormat

struct ClipForward: ElementwiseForward {
  private let low: Double
  private let high: Double

  init(_ op: ClipOp, _ weights: NodeWeights) {
    low = op.min.map(Double.init) ?? -.infinity
    high = op.max.map(Double.init) ?? .infinity
  }

  func value(of x: Double) -> Double { x < low ? low : x > high ? high : x }
}
