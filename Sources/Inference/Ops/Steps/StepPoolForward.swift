import ModelFormat

/// An op that reduces windows of the steps, element by element.
protocol StepPoolForward: WindowForward where Definition: StepPoolDefinition {
  /// Reduces the rows under one position of the kernel to a row of `output`.
  ///
  /// - Parameters:
  ///   - covered: the indices in `rows` of the steps to reduce, without padding and masked steps; at least one.
  ///   - start: the step at which the kernel begins; negative in the padding.
  ///   - count: the number of the sequence's steps; steps of earlier turns count only as far as a kernel reaches.
  func reduce(
    _ rows: Matrix, _ covered: [Int], start: Int, count: Int, into output: inout Matrix, row: Int)
}

extension StepPoolForward {
  /// The mask of the steps that the state keeps.
  func maskState(size: Int) -> [Float] { maskWindow.initialState }

  private var maskWindow: KernelWindow { KernelWindow(window.kernel, size: 1) }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    let (input, layout) = (node.operand(0, workspace), node.layout)
    let sourceAxis = node.graph.axis(of: node.node.inputs[0])
    let (source, kernel, maskWindow) = (node.layout(ofInput: 0), window.kernel, maskWindow)
    let mask = StepMask(node, workspace)
    output.resize(rows: layout.rows, columns: node.node.size)
    var (rows, counts, covered) = (Matrix(), Matrix(), [Int]())
    for j in node.plan.riders.indices {
      window.extend(j, node, input, states: &states, range: node.node.state, into: &rows)
      if let mask {
        maskWindow.extend(
          j, node, mask.values, states: &states, range: node.node.maskState, into: &counts)
      }
      // The number of steps of earlier turns, at most as many as the kernel covers: with that many, no padding is
      // covered.
      let earlier = Int(
        Swift.min(
          node.plan.stepsBefore(rider: j, axis: sourceAxis), Int128(kernel.span)))
      let count = earlier + source.steps[j]
      let before = window.rowsBefore(stepCount: count) - earlier
      let firstRow = window.firstRow(j, node)
      for t in 0..<layout.steps[j] {
        let first = firstRow + t * kernel.stride
        covered.removeAll(keepingCapacity: true)
        for tap in 0..<kernel.kernel {
          let at = first + tap * kernel.dilation
          guard (0..<count).contains(at - before), mask == nil || counts.values[at] != 0 else {
            continue
          }
          covered.append(at)
        }
        let row = layout.row(rider: j, step: t)
        guard !covered.isEmpty else {
          for at in output.row(row) { output.values[at] = 0 }
          continue
        }
        reduce(rows, covered, start: first - before, count: count, into: &output, row: row)
      }
    }
  }
}
