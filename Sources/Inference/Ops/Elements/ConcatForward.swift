import ModelFormat

struct ConcatForward: OpForward {
  init(_ op: ConcatOp, _ weights: NodeWeights) {}

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    let inputs = node.operands(workspace)
    output.resize(rows: inputs[0].rows, columns: inputs.reduce(0) { $0 + $1.columns })
    var column = 0
    for input in inputs {
      for row in 0..<input.rows {
        output.set(
          row: row, column: column, from: input.values, at: row * input.columns,
          count: input.columns)
      }
      column += input.columns
    }
  }
}
