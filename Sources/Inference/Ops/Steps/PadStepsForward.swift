import ModelFormat

struct PadStepsForward: StepSelectionForward {
  private let op: PadStepsOp

  init(_ op: PadStepsOp, _ weights: NodeWeights) { self.op = op }

  var padding: Float { op.value }

  func source(of step: Int, count: Int, total: Int) -> Int? {
    (op.mode ?? .constant).source(of: step - op.before, length: count)
  }
}
