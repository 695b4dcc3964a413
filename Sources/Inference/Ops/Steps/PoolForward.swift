import ModelFormat

/// An op that reduces a sequence to a vector step by step, and accumulates in the rider's state.
protocol PoolForward: OpForward {
  /// Adds a step, the floats of `input` from `start` on, to a rider's state.
  func add(
    _ input: [Float], at start: Int, isFirst: Bool, to state: PoolState, of states: inout SeatStates
  )
  /// Writes the vector of a sequence of `stepCount` steps, after its last step.
  func finish(
    _ state: PoolState, of states: SeatStates, stepCount: Int, into output: inout Matrix, row: Int)
}

/// The place of a pool's state for one rider.
struct PoolState {
  let seat: Int
  /// The range in the seat's floats.
  let range: Range<Int>
}

extension PoolForward {
  /// Writes the vector of a pool whose state is the vector.
  func finish(
    _ state: PoolState, of states: SeatStates, stepCount: Int, into output: inout Matrix, row: Int
  ) {
    states.read(seat: state.seat, range: state.range, into: &output, row: row)
  }

  func domain(of inputs: [RowDomain]) -> RowDomain { .ends }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    let (plan, layout, range) = (node.plan, node.layout, node.node.state)
    let input = node.operand(0, workspace)
    let mask = StepMask(node, workspace)
    for (j, rider) in plan.riders.enumerated() {
      let state = PoolState(seat: rider.seat, range: range)
      let begins = plan.stepsBefore(rider: j, axis: node.node.axis) == 0
      for t in 0..<layout.steps[j] {
        let row = layout.row(rider: j, step: t)
        var isFirst = begins && t == 0
        if let mask {
          guard mask.counts(row: row) else { continue }
          isFirst = count(of: rider, node, states) == 0
          states.add(seat: rider.seat, range: node.node.maskState, [1], at: 0)
        }
        add(
          input.values, at: row * input.columns, isFirst: isFirst, to: state, of: &states)
      }
    }
    output.resize(rows: plan.ends.count, columns: node.node.size)
    for (row, j) in plan.ends.enumerated() {
      let rider = plan.riders[j]
      let stepCount =
        mask == nil
        ? Int(clamping: plan.stepsBefore(rider: j, axis: node.node.axis) + Int128(layout.steps[j]))
        : count(of: rider, node, states)
      guard stepCount > 0 else {
        for at in output.row(row) { output.values[at] = 0 }
        continue
      }
      finish(
        PoolState(seat: rider.seat, range: range), of: states, stepCount: stepCount,
        into: &output, row: row)
    }
  }

  /// With a mask, the number of steps that count, as a `PreciseSum`.
  func maskState(size: Int) -> [Float] { [0, 0] }

  private func count(of rider: TurnRider, _ node: NodeTurn, _ states: SeatStates) -> Int {
    Int(states.sum(seat: rider.seat, range: node.node.maskState, at: 0).value)
  }
}

/// A pool that adds the steps up.
protocol SumPoolForward: PoolForward {
  /// The divisor of a sum over `stepCount` steps.
  func divisor(stepCount: Int) -> Double
}

extension SumPoolForward {
  var addsOverTime: Bool { true }

  /// Two floats for each sum (`PreciseSum`).
  func initialState(size: Int) -> [Float] { Array(repeating: 0, count: 2 * size) }

  func add(
    _ input: [Float], at start: Int, isFirst: Bool, to state: PoolState,
    of states: inout SeatStates
  ) {
    states.add(seat: state.seat, range: state.range, input, at: start)
  }

  func finish(
    _ state: PoolState, of states: SeatStates, stepCount: Int, into output: inout Matrix, row: Int
  ) {
    let divisor = divisor(stepCount: stepCount)
    for (k, at) in output.row(row).enumerated() {
      let sum = states.sum(seat: state.seat, range: state.range, at: k)
      output.values[at] = Float(sum.value / divisor)
    }
  }
}
