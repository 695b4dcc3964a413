import ModelFormat

struct WhereForward: OpForward {
  init(_ op: WhereOp, _ weights: NodeWeights) {}

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    let inputs = node.operands(workspace).map { $0.broadcast(columns: node.node.size) }
    output = inputs[1]
    for k in 0..<output.rows * output.columns where inputs[0].values[k] == 0 {
      output.values[k] = inputs[2].values[k]
    }
  }
}
