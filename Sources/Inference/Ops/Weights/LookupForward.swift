import ModelFormat

struct LookupForward: OpForward {
  /// [V + 1, E]: behind the table a row of NaN.
  private let table: [Float]
  private let rows: Int
  private let size: Int

  init(_ op: LookupOp, _ weights: NodeWeights) throws(ModelError) {
    let floats = try weights.required("weight")
    rows = weights.tensors.shape(of: "\(weights.prefix).weight")?.first ?? 0
    size = floats.count / rows
    table = floats + Array(repeating: .nan, count: size)
  }

  var byteCount: Int { table.count * MemoryLayout<Float>.stride }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    let numbers = node.operand(0, workspace)
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
