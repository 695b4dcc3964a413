import ModelFormat

struct ShiftForward: OpForward {
  private let window: StepWindow

  init(_ op: ShiftOp, _ weights: NodeWeights) {
    window = StepWindow(
      size: weights.node.size, before: Swift.max(op.steps, 0), after: Swift.max(-op.steps, 0))
  }

  var needsWholeSequence: Bool { window.looksAhead }

  func domain(of inputs: [RowDomain]) -> RowDomain { .steps }

  func initialState(size: Int) -> [Float] { window.initialState }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    let (input, layout) = (node.operand(0, workspace), node.layout)
    output.resize(rows: input.rows, columns: input.columns)
    var rows = Matrix()
    for rider in node.plan.riders.indices {
      window.extend(
        rider, node, input, states: &states, range: node.node.state, into: &rows)
      for t in 0..<layout.steps[rider] {
        output.set(
          row: layout.row(rider: rider, step: t), from: rows.values,
          at: (t + window.after) * window.size, count: window.size)
      }
    }
  }
}
