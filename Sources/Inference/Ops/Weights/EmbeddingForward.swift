import ModelFormat

struct EmbeddingForward: OpForward {
  /// vocabulary × size, a row for each id.
  private let table: [Float]

  init(_ op: EmbeddingOp, _ weights: NodeWeights) throws(ModelError) {
    table = try weights.required("weight")
  }

  var byteCount: Int { table.count * MemoryLayout<Float>.stride }

  func domain(of inputs: [RowDomain]) -> RowDomain { .steps }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    guard case .input(let input) = node.node.inputs[0] else {
      preconditionFailure("an embedding of what is no input")
    }
    let size = node.node.size
    let ids = workspace.tokens[input]
    output.resize(rows: ids.count, columns: size)
    for (row, id) in ids.enumerated() {
      output.set(row: row, from: table, at: Int(id) * size, count: size)
    }
  }
}
