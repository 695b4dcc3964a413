import ModelFormat

struct AddForward: OpForward {
  init(_ op: AddOp, _ weights: NodeWeights) {}

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    output.fold(node.operands(workspace), +)
  }
}
