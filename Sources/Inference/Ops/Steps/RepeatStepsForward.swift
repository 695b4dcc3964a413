import ModelFormat

struct RepeatStepsForward: StepSelectionForward {
  private let times: Int

  init(_ op: RepeatStepsOp, _ weights: NodeWeights) { times = op.times }

  var needsWholeSequence: Bool { false }

  func source(of step: Int, count: Int, total: Int) -> Int? { step / times }
}
