import ModelFormat

/// An op whose steps are steps of its input, or padding.
protocol StepSelectionForward: OpForward {
  /// The step of the input that is copied to `step` of the value; nil for `padding`. The input has `count` steps, the
  /// value `total`.
  func source(of step: Int, count: Int, total: Int) -> Int?
  var padding: Float { get }
}

extension StepSelectionForward {
  var padding: Float { 0 }

  var needsWholeSequence: Bool { true }

  func domain(of inputs: [RowDomain]) -> RowDomain { .steps }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    let (input, layout) = (node.operand(0, workspace), node.layout)
    let from = node.layout(ofInput: 0)
    output.resize(rows: layout.rows, columns: input.columns)
    for (rider, total) in layout.steps.enumerated() {
      for t in 0..<total {
        let row = layout.row(rider: rider, step: t)
        if let step = source(of: t, count: from.steps[rider], total: total) {
          output.set(
            row: row, from: input.values, at: from.row(rider: rider, step: step) * input.columns,
            count: input.columns)
        } else {
          for at in output.row(row) { output.values[at] = padding }
        }
      }
    }
  }
}
