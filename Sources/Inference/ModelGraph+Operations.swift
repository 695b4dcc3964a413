import ModelFormat

extension ModelGraph {
  /// Computes one node's value over the turn.
  func run(
    node index: Int, plan: TurnPlan, states: inout SeatStates, workspace: inout Workspace,
    crew: Crew?
  ) {
    let node = nodes[index]
    var output = Matrix()
    swap(&output, &workspace.nodes[index])
    defer { swap(&output, &workspace.nodes[index]) }

    switch node.operation {
    case .embedding(let table):
      guard case .input(let input) = node.inputs[0] else {
        preconditionFailure("an embedding of what is no input")
      }
      let ids = workspace.tokens[input]
      output.resize(rows: ids.count, columns: node.size)
      for (row, id) in ids.enumerated() {
        output.set(row: row, from: table, at: Int(id) * node.size, count: node.size)
      }
    case .lstm(let layers, let directions):
      runLSTM(
        index, layers, directions: directions, plan: plan, states: &states, workspace: &workspace,
        output: &output, crew: crew)
    case .linear(let linear):
      linear.forward(operand(0, of: node, plan: plan, workspace), into: &output, kernels: kernels)
    case .sigmoid, .tanh, .relu, .softmax, .logSoftmax:
      activate(node.operation, operand(0, of: node, plan: plan, workspace), into: &output)
    case .last:
      gatherReported(node.inputs[0], plan: plan, workspace: workspace, into: &output)
    case .pool(let pool):
      runPool(
        pool, node, operand(0, of: node, plan: plan, workspace), plan: plan, states: &states,
        output: &output)
    case .concat:
      concatenate(
        node.inputs.indices.map { operand($0, of: node, plan: plan, workspace) }, into: &output)
    case .add:
      fold(
        node.inputs.indices.map { operand($0, of: node, plan: plan, workspace) }, into: &output, +)
    case .multiply:
      fold(
        node.inputs.indices.map { operand($0, of: node, plan: plan, workspace) }, into: &output, *)
    case .softmaxSum:
      softmaxSum(
        scores: workspace[node.inputs[0]], values: workspace[node.inputs[1]], plan: plan,
        output: &output)
    case .layerNorm(let weight, let bias, let epsilon):
      output = operand(0, of: node, plan: plan, workspace)
      for row in 0..<output.rows {
        output.normaliseLayer(row: row, weight: weight, bias: bias, epsilon: epsilon)
      }
    case .affine(let scale, let shift):
      output = operand(0, of: node, plan: plan, workspace)
      for row in 0..<output.rows {
        for (k, at) in output.row(row).enumerated() {
          output.values[at] = output.values[at] * scale[k] + shift[k]
        }
      }
    case .l2Norm(let epsilon):
      output = operand(0, of: node, plan: plan, workspace)
      for row in 0..<output.rows { output.normaliseLength(row: row, epsilon: epsilon) }
    }
  }

  /// An op's input in the op's own domain.
  private func operand(
    _ position: Int, of node: GraphNode, plan: TurnPlan, _ workspace: Workspace
  ) -> Matrix {
    let reference = node.inputs[position]
    guard domain(of: reference) == .riders, node.domain == .reported else {
      return workspace[reference]
    }
    var expanded = Matrix()
    gatherReported(reference, plan: plan, workspace: workspace, into: &expanded)
    return expanded
  }

  private func activate(
    _ operation: GraphNode.Operation, _ input: Matrix, into output: inout Matrix
  ) {
    output = input
    let (rows, columns) = (output.rows, output.columns)
    let routines = unsafe kernels.routines
    // SAFETY: each routine works in place on rows × columns floats that the matrix holds.
    unsafe output.values.withUnsafeMutableBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      switch operation {
      case .sigmoid: unsafe routines.sigmoid_f32(base, rows * columns)
      case .tanh: unsafe routines.tanh_f32(base, rows * columns)
      case .relu: unsafe routines.relu_f32(base, rows * columns)
      case .softmax: unsafe routines.softmax_f32(base, rows, columns, columns)
      case .logSoftmax: unsafe routines.log_softmax_f32(base, rows, columns, columns)
      default: preconditionFailure("no activation")
      }
    }
  }

  // MARK: - LSTM

  private func runLSTM(
    _ index: Int, _ layers: [LSTMLayer], directions: Int, plan: TurnPlan,
    states: inout SeatStates, workspace: inout Workspace, output: inout Matrix, crew: Crew?
  ) {
    let node = nodes[index]
    let riders = plan.riders
    // Layers pass their outputs along in two buffers of the workspace; the node's input stays as it is.
    var input = workspace[node.inputs[0]]
    var (current, other, state) = (Matrix(), Matrix(), LSTMState())
    swap(&current, &workspace.layers.current)
    swap(&other, &workspace.layers.other)
    swap(&state, &workspace.state)
    defer {
      swap(&output, &current)
      swap(&workspace.layers.current, &current)
      swap(&workspace.layers.other, &other)
      swap(&workspace.state, &state)
    }
    if node.offersFinals {
      workspace.hidden[index].resize(rows: plan.reportedSteps.count, columns: node.size)
      workspace.cell[index].resize(
        rows: plan.reportedSteps.count, columns: directions * layers[layers.count - 1].hiddenSize)
    }
    var start = node.state.lowerBound
    var initialOffset = (hidden: 0, cell: 0)

    for (number, layer) in layers.enumerated() {
      let direction = number % directions
      if direction == 0 {
        if number > 0 {
          swap(&current, &other)
          input = other
        }
        current.resize(rows: plan.layout.rows, columns: directions * layer.outputSize)
      }
      let hiddenRange = start..<start + layer.outputSize
      let cellRange = hiddenRange.upperBound..<hiddenRange.upperBound + layer.hiddenSize
      start = cellRange.upperBound
      state.hidden.resize(rows: riders.count, columns: layer.outputSize)
      state.cell.resize(rows: riders.count, columns: layer.hiddenSize)
      for (j, rider) in riders.enumerated() {
        states.read(seat: rider.seat, range: hiddenRange, into: &state.hidden, row: j)
        states.read(seat: rider.seat, range: cellRange, into: &state.cell, row: j)
      }
      if node.inputs.count > 1 {
        begin(
          &state.hidden, from: node.inputs[1], at: initialOffset.hidden, plan: plan, workspace)
      }
      if node.inputs.count > 2 {
        begin(&state.cell, from: node.inputs[2], at: initialOffset.cell, plan: plan, workspace)
      }
      initialOffset.hidden += layer.outputSize
      initialOffset.cell += layer.hiddenSize

      layer.forward(
        input, layout: plan.layout, state: &state, output: &current,
        column: direction * layer.outputSize, scratch: workspace.lstm, kernels: kernels,
        crew: crew)

      for (j, rider) in riders.enumerated() {
        states.write(
          seat: rider.seat, range: hiddenRange, from: state.hidden.values,
          at: j * layer.outputSize)
        states.write(
          seat: rider.seat, range: cellRange, from: state.cell.values, at: j * layer.hiddenSize)
      }
      if node.offersFinals, number >= layers.count - directions {
        for (row, j) in plan.reportedRiders.enumerated() {
          workspace.hidden[index].set(
            row: row, column: direction * layer.outputSize, from: state.hidden.values,
            at: j * layer.outputSize, count: layer.outputSize)
          workspace.cell[index].set(
            row: row, column: direction * layer.hiddenSize, from: state.cell.values,
            at: j * layer.hiddenSize, count: layer.hiddenSize)
        }
      }
    }
  }

  /// Lets the riders that begin in this turn start from `reference` instead of zero.
  private func begin(
    _ initial: inout Matrix, from reference: Model.ValueReference, at offset: Int,
    plan: TurnPlan, _ workspace: Workspace
  ) {
    let source = workspace[reference]
    let byRider = domain(of: reference) == .riders
    for (j, rider) in plan.riders.enumerated() where rider.position == 0 {
      // Where the graph restarts from an end of the sequence, every rider finishes and reports that end.
      guard let row = byRider ? j : plan.reportedRiders.firstIndex(of: j) else { continue }
      initial.set(
        row: j, from: source.values, at: row * source.columns + offset, count: initial.columns)
    }
  }

  // MARK: - Over time

  private func runPool(
    _ pool: GraphNode.Pool, _ node: GraphNode, _ input: Matrix, plan: TurnPlan,
    states: inout SeatStates, output: inout Matrix
  ) {
    for (j, rider) in plan.riders.enumerated() {
      for t in 0..<rider.steps.count {
        let at = plan.layout.row(rider: j, step: t) * input.columns
        switch pool {
        case .first:
          if rider.position == 0 && t == 0 {
            states.write(seat: rider.seat, range: node.state, from: input.values, at: at)
          }
        case .mean, .sum:
          states.merge(seat: rider.seat, range: node.state, with: input.values, at: at, +)
        case .max:
          // As PyTorch has it, a NaN wins.
          states.merge(seat: rider.seat, range: node.state, with: input.values, at: at) {
            $1 > $0 || $1.isNaN ? $1 : $0
          }
        }
      }
    }
    output.resize(rows: plan.reportedRiders.count, columns: node.size)
    for (row, j) in plan.reportedRiders.enumerated() {
      let rider = plan.riders[j]
      states.read(seat: rider.seat, range: node.state, into: &output, row: row)
      if case .mean = pool {
        let count = Float(rider.position + rider.steps.count)
        for k in output.row(row) { output.values[k] /= count }
      }
    }
  }

  /// Each rider's values, weighted by the softmax of its scores over time, summed step by step.
  private func softmaxSum(
    scores: Matrix, values: Matrix, plan: TurnPlan, output: inout Matrix
  ) {
    output.resize(rows: plan.reportedRiders.count, columns: values.columns)
    for (row, j) in plan.reportedRiders.enumerated() {
      let steps = plan.riders[j].steps.count
      var weights = (0..<steps).map { scores.values[plan.layout.row(rider: j, step: $0)] }
      // SAFETY: one row of `steps` floats, in place.
      unsafe weights.withUnsafeMutableBufferPointer {
        unsafe kernels.routines.softmax_f32($0.baseAddress!, 1, steps, steps)
      }
      for k in output.row(row) { output.values[k] = 0 }
      let target = row * values.columns
      for t in 0..<steps {
        let source = values.row(plan.layout.row(rider: j, step: t)).lowerBound
        for k in 0..<values.columns {
          output.values[target + k] += weights[t] * values.values[source + k]
        }
      }
    }
  }

  // MARK: - Side by side

  private func concatenate(_ inputs: [Matrix], into output: inout Matrix) {
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

  private func fold(
    _ inputs: [Matrix], into output: inout Matrix, _ combine: (Float, Float) -> Float
  ) {
    output = inputs[0]
    let count = output.rows * output.columns
    for input in inputs.dropFirst() {
      for k in 0..<count { output.values[k] = combine(output.values[k], input.values[k]) }
    }
  }
}

extension Matrix {
  /// Layer normalisation (Ba, Kiros and Hinton, 2016): the biased variance, as PyTorch takes it.
  fileprivate mutating func normaliseLayer(
    row index: Int, weight: [Float]?, bias: [Float]?, epsilon: Float
  ) {
    let row = row(index)
    let count = Float(row.count)
    let mean = row.reduce(0) { $0 + values[$1] } / count
    let variance = row.reduce(0) { $0 + (values[$1] - mean) * (values[$1] - mean) } / count
    let deviation = (variance + epsilon).squareRoot()
    for (k, at) in row.enumerated() {
      values[at] = (values[at] - mean) / deviation * (weight?[k] ?? 1) + (bias?[k] ?? 0)
    }
  }

  /// Divides a row by its Euclidean length, or by `epsilon` where that is larger.
  fileprivate mutating func normaliseLength(row index: Int, epsilon: Float) {
    let row = row(index)
    let length = Swift.max(row.reduce(0) { $0 + values[$1] * values[$1] }.squareRoot(), epsilon)
    for at in row { values[at] /= length }
  }
}
