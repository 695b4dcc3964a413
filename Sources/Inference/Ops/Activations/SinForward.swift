import ModelFormat

struct SinForward: ElementwiseForward {
  init(_ op: SinOp, _ weights: NodeWeights) {}

  func value(of x: Double) -> Double { Elementary.sin(Float(x)) }
}
