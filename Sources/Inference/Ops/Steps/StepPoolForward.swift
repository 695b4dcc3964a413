import ModelFormat

/// An op that reduces windows of the steps, element by element.
protocol StepPoolForward: OpForward where Definition: StepPoolDefinition {
  var window: KernelWindow { get }

  /// Writes a row of `output`: what becomes of the rows of a place.
  ///
  /// - Parameter steps: how many steps the sequence has, and at which of them the kernel begins, below 0 in the padding.
  func reduce(
    _ rows: Matrix, from first: Int, steps: (count: Int, start: Int), into output: inout Matrix,
    row: Int)
}

extension StepPoolForward {
  var needsWholeSequence: Bool { window.needsWholeSequence }

  func domain(of inputs: [RowDomain]) -> RowDomain { .steps }

  func initialState(size: Int) -> [Float] { window.initialState }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    let (input, layout) = (node.operand(0, workspace), node.layout)
    let source = node.layout(ofInput: 0)
    output.resize(rows: layout.rows, columns: node.node.size)
    var rows = Matrix()
    for (j, rider) in node.plan.riders.enumerated() {
      window.extend(j, node, input, states: &states, into: &rows)
      let count = rider.position + source.steps[j]
      let before = window.kernel.before(stepCount: count) - rider.position
      for t in 0..<layout.steps[j] {
        let first = t * window.kernel.stride
        reduce(
          rows, from: first, steps: (count, first - before), into: &output,
          row: layout.row(rider: j, step: t))
      }
    }
  }
}
