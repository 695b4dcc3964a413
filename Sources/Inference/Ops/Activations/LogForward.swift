import ModelFormat

struct LogForward: ElementwiseForward {
  init(_ op: LogOp, _ weights: NodeWeights) {}

  func value(of x: Double) -> Double { Elementary.log(x) }
}
