import ModelFormat

struct RepeatForward: OpForward {
  init(_ op: RepeatOp, _ weights: NodeWeights) {}

  func domain(of inputs: [RowDomain]) -> RowDomain { .steps }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    node.gather(node.node.inputs[0], as: .steps, workspace, into: &output)
  }
}
