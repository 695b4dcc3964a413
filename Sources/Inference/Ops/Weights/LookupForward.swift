import ModelFormat

struct LookupForward: OpForward {
  /// [V + 1, E]: behind the table a row of NaN.
  private let table: [Float]
  private let size: Int

  init(_ op: LookupOp, _ weights: NodeWeights) throws(ModelError) {
    let name = tensorName("weight", under: weights.prefix)
    size = weights.tensors.shape(of: name)?.last ?? 0
    table = try weights.required("weight") + Array(repeating: .nan, count: size)
  }

  var byteCount: Int { table.count * MemoryLayout<Float>.stride }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    let numbers = node.operand(0, workspace)
    let rows = table.count / size - 1
    output.resize(rows: numbers.rows, columns: node.node.size)
    for row in 0..<numbers.rows {
      for (column, at) in numbers.row(row).enumerated() {
        let number = numbers.values[at]
        let index = number > -1 && number < Float(rows) ? Int(number) : rows
        output.set(row: row, column: column * size, from: table, at: index * size, count: size)
      }
    }
  }
}
