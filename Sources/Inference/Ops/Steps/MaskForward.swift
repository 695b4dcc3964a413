import ModelFormat

struct MaskForward: OpForward {
  private let value: Float

  init(_ op: MaskOp, _ weights: NodeWeights) { value = op.value }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    let reference = node.node.inputs[0]
    output.resize(rows: node.layout.rows, columns: 1)
    if case .input(let input) = reference,
      case .tokens = node.graph.model.description.inputs[input].kind
    {
      for row in 0..<output.rows {
        output.values[row] = Float(workspace.tokens[input][row]) == value ? 0 : 1
      }
      return
    }
    let source = workspace[reference]
    for row in 0..<output.rows {
      output.values[row] = source.row(row).allSatisfy { source.values[$0] == value } ? 0 : 1
    }
  }
}

/// A node's mask: which steps of its input count.
struct StepMask {
  let values: Matrix

  /// Returns nil for a node without a mask.
  init?(_ node: borrowing NodeTurn, _ workspace: borrowing Workspace) {
    guard let reference = node.node.mask else { return nil }
    values = workspace[reference]
  }

  func counts(row: Int) -> Bool { values.values[row] != 0 }

  /// Puts zeros at the steps that do not count.
  func clear(_ rows: inout Matrix) {
    for row in 0..<rows.rows where !counts(row: row) {
      for at in rows.row(row) { rows.values[at] = 0 }
    }
  }

  /// The steps of a rider that count, in order.
  func steps(of rider: Int, in layout: PackedLayout) -> [Int] {
    (0..<layout.steps[rider]).filter { counts(row: layout.row(rider: rider, step: $0)) }
  }
}
