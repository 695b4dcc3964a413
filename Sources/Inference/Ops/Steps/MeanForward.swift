import ModelFormat

struct MeanForward: SumPoolForward {
  init(_ op: MeanOp, _ weights: NodeWeights) {}

  func divisor(stepCount: Int) -> Double { Double(stepCount) }
}
