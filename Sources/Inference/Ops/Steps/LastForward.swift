import ModelFormat

/// The reported rows of a sequence. With a mask, each row is the last step so far that counts, zeros before the first.
struct LastForward: OpForward {
  init(_ op: LastOp, _ weights: NodeWeights) {}

  func domain(of inputs: [RowDomain]) -> RowDomain { .reported }

  func maskState(size: Int) -> [Float] { Array(repeating: 0, count: size) }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    let (plan, layout, range) = (node.plan, node.layout, node.node.maskState)
    guard let mask = StepMask(node, workspace) else {
      let kept = node.graph.lastStep(of: node.node.inputs[0])
      guard node.node.domain == .ends, !kept.isEmpty else {
        return node.gather(node.node.inputs[0], as: node.node.domain, workspace, into: &output)
      }
      // A turn may give the rider no step of this axis: the last step is in the state.
      output.resize(rows: plan.ends.count, columns: node.node.size)
      for (row, j) in plan.ends.enumerated() {
        states.read(seat: plan.riders[j].seat, range: kept, into: &output, row: row)
      }
      return
    }
    let input = node.operand(0, workspace)
    output.resize(rows: plan.rowCount(of: node.node.domain), columns: input.columns)
    for (j, rider) in plan.riders.enumerated() {
      let rows = plan.rows(of: j, in: node.node.domain)
      for t in 0..<layout.steps[j] {
        let row = layout.row(rider: j, step: t)
        if mask.counts(row: row) {
          states.write(
            seat: rider.seat, range: range, from: input.values, at: row * input.columns)
        }
        // The reported steps are the last of the turn.
        let index = t - (layout.steps[j] - rows.count)
        if index >= 0 {
          states.read(
            seat: rider.seat, range: range, into: &output, row: rows.lowerBound + index)
        }
      }
      // A turn may give the rider no step of an axis other than the input's.
      if layout.steps[j] == 0, let row = rows.first {
        states.read(seat: rider.seat, range: range, into: &output, row: row)
      }
    }
  }
}
