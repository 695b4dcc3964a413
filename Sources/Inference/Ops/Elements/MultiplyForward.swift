import ModelFormat

struct MultiplyForward: OpForward {
  init(_ op: MultiplyOp, _ weights: NodeWeights) {}

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    output.fold(node.operands(workspace), *)
  }
}
