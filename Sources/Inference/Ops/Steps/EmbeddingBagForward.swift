import ModelFormat

/// The state is that of a pool: the largest elements so far, or sums in two floats each (`PreciseSum`): of each element,
/// and of the number of ids that count.
struct EmbeddingBagForward: OpForward {
  /// vocabulary × size, a row for each id.
  private let table: [Float]
  private let mode: EmbeddingBagOp.Mode
  private let padding: Int32?

  init(_ op: EmbeddingBagOp, _ weights: NodeWeights) throws(ModelError) {
    table = try weights.required("weight")
    mode = op.mode ?? .mean
    padding = op.padding.map { Int32($0) }
  }

  var byteCount: Int { table.count * MemoryLayout<Float>.stride }

  var addsOverTime: Bool { mode != .max }

  func domain(of inputs: [RowDomain]) -> RowDomain { .ends }

  /// The initial maximum; finite, so that a state with it can be sent to the client.
  private static let nothing = -Float.greatestFiniteMagnitude

  func initialState(size: Int) -> [Float] {
    mode == .max
      ? Array(repeating: Self.nothing, count: size) : Array(repeating: 0, count: 2 * (size + 1))
  }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    guard case .input(let input) = node.node.inputs[0] else {
      preconditionFailure("an embedding of what is no input")
    }
    let (plan, layout) = (node.plan, node.layout(ofInput: 0))
    let (range, size) = (node.node.state, node.node.size)
    let weights = node.node.inputs.count > 1 ? node.operand(1, workspace) : nil
    for (j, rider) in plan.riders.enumerated() {
      for t in 0..<layout.steps[j] {
        let row = layout.row(rider: j, step: t)
        let id = workspace.tokens[input][row]
        guard id != padding else { continue }
        let start = Int(id) * size
        switch mode {
        case .max:
          states.merge(seat: rider.seat, range: range, with: table, at: start) { Swift.max($0, $1) }
        case .sum, .mean:
          let weight = weights?.values[row] ?? 1
          states.add(
            seat: rider.seat, range: range, table[start..<start + size].map { $0 * weight } + [1],
            at: 0)
        }
      }
    }
    output.resize(rows: plan.ends.count, columns: size)
    for (row, j) in plan.ends.enumerated() {
      finish(seat: plan.riders[j].seat, range: range, of: states, into: &output, row: row)
    }
  }

  /// Writes the vector of a sequence, after its last step.
  private func finish(
    seat: Int, range: Range<Int>, of states: SeatStates, into output: inout Matrix, row: Int
  ) {
    switch mode {
    case .max:
      states.read(seat: seat, range: range, into: &output, row: row)
      // Elements that no id has raised: the sequence has only padding.
      for at in output.row(row) where output.values[at] == Self.nothing { output.values[at] = 0 }
    case .sum, .mean:
      let count = states.sum(seat: seat, range: range, at: output.columns).value
      let divisor = mode == .mean && count > 0 ? count : 1
      for (k, at) in output.row(row).enumerated() {
        output.values[at] = Float(states.sum(seat: seat, range: range, at: k).value / divisor)
      }
    }
  }
}
