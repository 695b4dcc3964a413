import ModelFormat

/// The layers of a recurrent network, in one direction or two.
struct RecurrentNetwork: Sendable {
  /// Layer by layer, forward then reverse.
  private let layers: [RecurrentLayer]
  private let directions: Int
  /// Whether a masked step repeats the previous output; else its output is zeros.
  private let repeatsAnswers: Bool
  /// Whether each request begins anew with the initial states that it gives.
  private let beginsEachRequest: Bool

  /// - Parameter cells: the cell of each direction.
  init(_ cells: [RecurrentCell], _ weights: NodeWeights) throws(ModelError) {
    guard let shape = weights.node.recurrent else {
      preconditionFailure("a recurrent network without its shape")
    }
    layers = try RecurrentLayer.load(
      cells, prefix: weights.prefix, shape: shape, precision: weights.precision,
      kernels: weights.kernels, from: weights.tensors)
    directions = shape.directions
    let op = weights.node.op.definition as? any RecurrentOp
    repeatsAnswers = op?.maskedOutput != .zero
    beginsEachRequest = op?.begins == .request
  }

  var byteCount: Int { layers.reduce(0) { $0 + $1.byteCount } }
  var largestRecurrentByteCount: Int { layers.map(\.recurrentWeights.byteCount).max() ?? 0 }
  var needsWholeSequence: Bool { layers.contains(where: \.isReverse) }

  /// h and c of every layer and direction.
  var initialState: [Float] { layers.flatMap(\.initialState) }

  /// The last output, for masked steps; empty for a network that needs whole sequences, which keeps none between turns.
  func maskState(size: Int) -> [Float] {
    needsWholeSequence || !repeatsAnswers ? [] : Array(repeating: 0, count: size)
  }

  func forward(
    _ turn: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    if beginsEachRequest {
      let zeros = Array(repeating: Float(0), count: turn.node.state.count)
      for rider in turn.plan.riders where rider.opensRequest {
        for range in [turn.node.state, turn.node.maskState] {
          states.write(seat: rider.seat, range: range, from: zeros, at: 0)
        }
      }
    }
    let input = workspace[turn.node.inputs[0]]
    guard let mask = StepMask(turn, workspace) else {
      return run(
        turn, input, layout: turn.layout, states: &states, workspace: &workspace, into: &output)
    }
    let masked = MaskedSteps(mask, of: turn.layout)
    var found = Matrix()
    run(
      turn, masked.gather(input), layout: masked.layout, states: &states, workspace: &workspace,
      into: &found)
    output.resize(rows: turn.layout.rows, columns: turn.node.size)
    let range = turn.node.maskState
    let size = turn.node.size / directions
    for direction in 0..<directions {
      var previous = Matrix(rows: turn.plan.riders.count, columns: size)
      for (j, rider) in turn.plan.riders.enumerated() where !range.isEmpty {
        states.read(seat: rider.seat, range: range, into: &previous, row: j)
      }
      masked.scatter(
        found, columns: direction * size..<(direction + 1) * size,
        isReverse: layers[direction].isReverse, repeats: repeatsAnswers, previous: &previous,
        into: &output)
      for (j, rider) in turn.plan.riders.enumerated() where !range.isEmpty {
        states.write(seat: rider.seat, range: range, from: previous.values, at: j * size)
      }
    }
  }

  /// Runs the riders over the steps of `layout`; `given` has a row for each of them.
  private func run(
    _ turn: NodeTurn, _ given: Matrix, layout: PackedLayout, states: inout SeatStates,
    workspace: inout Workspace, into output: inout Matrix
  ) {
    let (node, index, plan) = (turn.node, turn.index, turn.plan)
    let riders = plan.riders
    // Layers alternate between two buffers of the workspace; the node's input is not changed.
    var input = given
    var (current, other, state) = (Matrix(), Matrix(), RecurrentState())
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
        rows: plan.ends.count, columns: directions * layer.cellSize)
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
        current.resize(rows: layout.rows, columns: directions * layer.outputSize)
      }
      let hiddenRange = start..<start + layer.outputSize
      let cellRange = hiddenRange.upperBound..<hiddenRange.upperBound + layer.cellSize
      start = cellRange.upperBound
      state.hidden.resize(rows: riders.count, columns: layer.outputSize)
      state.cell.resize(rows: riders.count, columns: layer.cellSize)
      for j in riders.indices {
        let (seat, row) = (riders[j].seat, layout.place(of: j))
        states.read(seat: seat, range: hiddenRange, into: &state.hidden, row: row)
        states.read(seat: seat, range: cellRange, into: &state.cell, row: row)
      }
      if let initial = node.initialHidden {
        begin(
          &state.hidden, from: initial, at: initialOffset.hidden, turn, layout, workspace)
      }
      if let initial = node.initialCell {
        begin(&state.cell, from: initial, at: initialOffset.cell, turn, layout, workspace)
      }
      initialOffset.hidden += layer.outputSize
      initialOffset.cell += layer.cellSize

      layer.forward(
        input, layout: layout, state: &state, output: &current,
        column: direction * layer.outputSize, scratch: workspace.recurrent,
        kernels: turn.graph.kernels, crew: turn.crew)

      for j in riders.indices {
        let (seat, row) = (riders[j].seat, layout.place(of: j))
        states.write(
          seat: seat, range: hiddenRange, from: state.hidden.values, at: row * layer.outputSize)
        states.write(
          seat: seat, range: cellRange, from: state.cell.values, at: row * layer.cellSize)
      }
      let final = number / directions
      if node.finalLayers.contains(final) {
        for (row, j) in plan.ends.enumerated() {
          workspace.hidden[index][final].set(
            row: row, column: direction * layer.outputSize, from: state.hidden.values,
            at: layout.place(of: j) * layer.outputSize, count: layer.outputSize)
          workspace.cell[index][final].set(
            row: row, column: direction * layer.cellSize, from: state.cell.values,
            at: layout.place(of: j) * layer.cellSize, count: layer.cellSize)
        }
      }
    }
  }

  /// Sets the initial state of riders that begin in this turn to the value of `reference`.
  private func begin(
    _ initial: inout Matrix, from reference: Model.ValueReference, at offset: Int,
    _ turn: NodeTurn, _ layout: PackedLayout, _ workspace: Workspace
  ) {
    let source = workspace[reference]
    let domain = turn.graph.domain(of: reference)
    // If the initial state is known only at a sequence's end, the graph needs whole sequences, and every rider finishes.
    for (j, rider) in turn.plan.riders.enumerated()
    where rider.position == 0 || beginsEachRequest && rider.opensRequest {
      let row = turn.plan.endRow(of: j, in: domain, axis: turn.node.axis)
      initial.set(
        row: layout.place(of: j), from: source.values, at: row * source.columns + offset,
        count: initial.columns)
    }
  }
}
