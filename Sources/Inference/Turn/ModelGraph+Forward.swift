import ModelFormat

extension ModelGraph {
  /// Advances every rider by its steps, in one pass over the weights.
  ///
  /// A rider's results depend on its own inputs and state only, to the bit. If the graph is not streamable, each
  /// rider's steps have to be its whole sequence.
  ///
  /// - Parameter crew: cores that divide the hidden units of recurrent networks; nil for the caller's only.
  package func forward(
    _ riders: [TurnRider], states: inout SeatStates, workspace: inout Workspace,
    crew: Crew? = nil
  ) {
    let plan = TurnPlan(riders, of: model, reportsEveryStep: reportsEveryStep)
    // By index, as copying riders would change reference counts.
    for index in riders.indices {
      if let state = riders[index].resumed {
        states.resume(seat: riders[index].seat, from: state)
      } else if riders[index].position == 0 {
        states.reset(seat: riders[index].seat, graph: self)
      }
    }
    for index in workspace.inputs.indices { pack(input: index, plan: plan, workspace: &workspace) }
    var turn = NodeTurn(graph: self, plan: plan, crew: crew)
    for index in nodes.indices {
      turn.index = index
      var output = Matrix()
      swap(&output, &workspace.nodes[index])
      nodes[index].op.forward(turn, states: &states, workspace: &workspace, into: &output)
      swap(&output, &workspace.nodes[index])
      if !nodes[index].lastStep.isEmpty {
        keepLastStep(of: index, plan: plan, states: &states, workspace: workspace)
      }
    }
    for index in workspace.outputs.indices {
      workspace.reported[index] = Array(repeating: 0..<0, count: riders.count)
      report(output: index, plan: plan, states: states, workspace: &workspace)
    }
  }

  /// Copies a node's last step to the state of each rider that has a step of the node in this turn.
  private func keepLastStep(
    of index: Int, plan: TurnPlan, states: inout SeatStates, workspace: borrowing Workspace
  ) {
    let (node, layout) = (nodes[index], plan.layouts[nodes[index].valueAxis])
    for (j, rider) in plan.riders.enumerated() where layout.steps[j] > 0 {
      states.write(
        seat: rider.seat, range: node.lastStep, from: workspace.nodes[index].values,
        at: layout.lastRow(rider: j) * node.size)
    }
  }

  /// Copies an input's values to packed order, and normalises features.
  private func pack(input index: Int, plan: TurnPlan, workspace: inout Workspace) {
    let layout = plan.layouts[inputs[index].axis]
    switch model.description.inputs[index].kind {
    case .tokens:
      let missing = layout.rows - workspace.tokens[index].count
      if missing > 0 {
        workspace.tokens[index].append(contentsOf: repeatElement(0, count: missing))
      } else {
        workspace.tokens[index].removeLast(-missing)
      }
      var rows = workspace.tokens[index].mutableSpan
      for j in plan.riders.indices {
        guard case .tokens(let ids) = plan.riders[j].input.values[index] else { continue }
        let (place, first) = (layout.place(of: j), plan.riders[j].steps.lowerBound)
        for t in 0..<layout.steps[j] { rows[layout.starts[t] + place] = ids[first + t] }
      }
    case .features(let size, let mean, let scale):
      workspace.inputs[index].resize(rows: layout.rows, columns: size)
      for j in plan.riders.indices {
        guard case .features(let floats) = plan.riders[j].input.values[index] else { continue }
        workspace.inputs[index].scatter(
          floats, from: plan.riders[j].steps.lowerBound * size, count: layout.steps[j],
          to: layout.starts, offset: layout.place(of: j))
      }
      guard mean != nil || scale != nil else { return }
      var values = workspace.inputs[index].values.mutableSpan
      for row in 0..<layout.rows {
        for k in 0..<size {
          let centred = values[row * size + k] - (mean?[k] ?? 0)
          values[row * size + k] = centred / (scale?[k] ?? 1)
        }
      }
    case .vector(let size):
      workspace.inputs[index].resize(rows: plan.riders.count, columns: size)
      for (j, rider) in plan.riders.enumerated() {
        guard case .vector(let floats) = rider.input.values[index] else { continue }
        workspace.inputs[index].set(row: j, from: floats, at: 0, count: size)
      }
    }
  }
}
