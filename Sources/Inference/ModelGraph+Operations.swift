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
      gather(node.inputs[0], as: node.domain, plan: plan, workspace: workspace, into: &output)
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
    let domain = domain(of: reference)
    switch (node.domain, domain) {
    case (.reported, .riders), (.ends, .riders), (.ends, .reported):
      // An op on vectors, some of which have other rows than its value.
      var gathered = Matrix()
      gather(reference, as: node.domain, plan: plan, workspace: workspace, into: &gathered)
      return gathered
    case (.steps, _), (.riders, _), (.reported, _), (.ends, .ends), (.ends, .steps):
      return workspace[reference]
    }
  }

  /// Copies a value's rows for another domain.
  private func gather(
    _ reference: Model.ValueReference, as target: RowDomain, plan: TurnPlan, workspace: Workspace,
    into output: inout Matrix
  ) {
    output.gather(
      plan.rows(of: domain(of: reference), in: target), of: workspace[reference])
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
    for final in node.finalLayers {
      let layer = layers[final * directions]
      workspace.hidden[index][final].resize(
        rows: plan.ends.count, columns: directions * layer.outputSize)
      workspace.cell[index][final].resize(
        rows: plan.ends.count, columns: directions * layer.hiddenSize)
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
      for j in riders.indices {
        states.read(seat: riders[j].seat, range: hiddenRange, into: &state.hidden, row: j)
        states.read(seat: riders[j].seat, range: cellRange, into: &state.cell, row: j)
      }
      if let initial = node.initialHidden {
        begin(&state.hidden, from: initial, at: initialOffset.hidden, plan: plan, workspace)
      }
      if let initial = node.initialCell {
        begin(&state.cell, from: initial, at: initialOffset.cell, plan: plan, workspace)
      }
      initialOffset.hidden += layer.outputSize
      initialOffset.cell += layer.hiddenSize

      layer.forward(
        input, layout: plan.layout, state: &state, output: &current,
        column: direction * layer.outputSize, scratch: workspace.lstm, kernels: kernels,
        crew: crew)

      for j in riders.indices {
        states.write(
          seat: riders[j].seat, range: hiddenRange, from: state.hidden.values,
          at: j * layer.outputSize)
        states.write(
          seat: riders[j].seat, range: cellRange, from: state.cell.values,
          at: j * layer.hiddenSize)
      }
      let final = number / directions
      if node.finalLayers.contains(final) {
        for (row, j) in plan.ends.enumerated() {
          workspace.hidden[index][final].set(
            row: row, column: direction * layer.outputSize, from: state.hidden.values,
            at: j * layer.outputSize, count: layer.outputSize)
          workspace.cell[index][final].set(
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
    let domain = domain(of: reference)
    // Where the graph restarts from an end of the sequence, every rider finishes in this turn.
    for (j, rider) in plan.riders.enumerated() where rider.position == 0 {
      let row = plan.endRow(of: j, in: domain)
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
          states.add(seat: rider.seat, range: node.state, input.values, at: at)
        case .max:
          // As PyTorch has it, a NaN wins.
          states.merge(seat: rider.seat, range: node.state, with: input.values, at: at) {
            $1 > $0 || $1.isNaN ? $1 : $0
          }
        }
      }
    }
    output.resize(rows: plan.ends.count, columns: node.size)
    for (row, j) in plan.ends.enumerated() {
      let rider = plan.riders[j]
      switch pool {
      case .first, .max: states.read(seat: rider.seat, range: node.state, into: &output, row: row)
      case .mean, .sum:
        let count = pool == .mean ? Double(rider.position + rider.steps.count) : 1
        for (k, at) in output.row(row).enumerated() {
          let sum = states.sum(seat: rider.seat, range: node.state, at: k)
          output.values[at] = Float(sum.value / count)
        }
      }
    }
  }

  /// Each rider's values, weighted by the softmax of its scores over time, summed step by step in double precision.
  private func softmaxSum(
    scores: Matrix, values: Matrix, plan: TurnPlan, output: inout Matrix
  ) {
    output.resize(rows: plan.ends.count, columns: values.columns)
    var totals = [Double](repeating: 0, count: values.columns)
    for (row, j) in plan.ends.enumerated() {
      let steps = plan.riders[j].steps.count
      var weights = (0..<steps).map { scores.values[plan.layout.row(rider: j, step: $0)] }
      // SAFETY: one row of `steps` floats, in place.
      unsafe weights.withUnsafeMutableBufferPointer {
        unsafe kernels.routines.softmax_f32($0.baseAddress!, 1, steps, steps)
      }
      for k in totals.indices { totals[k] = 0 }
      for t in 0..<steps {
        let source = values.row(plan.layout.row(rider: j, step: t)).lowerBound
        let weight = Double(weights[t])
        for k in totals.indices { totals[k] += weight * Double(values.values[source + k]) }
      }
      for (k, at) in output.row(row).enumerated() { output.values[at] = Float(totals[k]) }
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
  /// Layer normalisation (Ba, Kiros and Hinton, 2016): the biased variance, as PyTorch takes it. In double precision, as a
  /// row may be wide.
  fileprivate mutating func normaliseLayer(
    row index: Int, weight: [Float]?, bias: [Float]?, epsilon: Float
  ) {
    let row = row(index)
    let count = Double(row.count)
    let mean = row.reduce(0) { $0 + Double(values[$1]) } / count
    let variance =
      row.reduce(0) { sum, at in
        let difference = Double(values[at]) - mean
        return sum + difference * difference
      } / count
    let deviation = (variance + Double(epsilon)).squareRoot()
    for (k, at) in row.enumerated() {
      let normal = Float((Double(values[at]) - mean) / deviation)
      values[at] = normal * (weight?[k] ?? 1) + (bias?[k] ?? 0)
    }
  }

  /// Divides a row by its Euclidean length, or by `epsilon` where that is larger. In double precision, where no square
  /// overflows.
  fileprivate mutating func normaliseLength(row index: Int, epsilon: Float) {
    let row = row(index)
    let squares = row.reduce(0) { $0 + Double(values[$1]) * Double(values[$1]) }
    let length = Swift.max(squares.squareRoot(), Double(epsilon))
    for at in row { values[at] = Float(Double(values[at]) / length) }
  }
}
