import ModelFormat

struct ReverseForward: StepSelectionForward {
  init(_ op: ReverseOp, _ weights: NodeWeights) {}

  func source(of step: Int, count: Int, total: Int) -> Int? { count - 1 - step }
}
