import ModelFormat

/// The reported rows of a sequence.
struct LastForward: OpForward {
  init(_ op: LastOp, _ weights: NodeWeights) {}

  func domain(of inputs: [RowDomain]) -> RowDomain { .reported }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    node.gather(node.node.inputs[0], as: node.node.domain, workspace, into: &output)
  }
}
