import ModelFormat

struct ReverseForward: OpForward {
  init(_ op: ReverseOp, _ weights: NodeWeights) {}

  var needsWholeSequence: Bool { true }

  func domain(of inputs: [RowDomain]) -> RowDomain { .steps }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    let (input, layout) = (node.operand(0, workspace), node.plan.layout)
    output.resize(rows: input.rows, columns: input.columns)
    for (rider, count) in layout.steps.enumerated() {
      for t in 0..<count {
        output.set(
          row: layout.row(rider: rider, step: t), from: input.values,
          at: layout.row(rider: rider, step: count - 1 - t) * input.columns, count: input.columns)
      }
    }
  }
}
