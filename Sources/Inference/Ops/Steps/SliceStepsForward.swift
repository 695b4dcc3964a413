import ModelFormat

struct SliceStepsForward: StepSelectionForward {
  private let op: SliceStepsOp

  init(_ op: SliceStepsOp, _ weights: NodeWeights) { self.op = op }

  func source(of step: Int, count: Int, total: Int) -> Int? {
    op.source(of: step, stepCount: count)
  }
}
