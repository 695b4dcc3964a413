/// An op that combines several values element by element, from the first to the last. A vector is repeated for every step of
/// a sequence, and a value of size 1 for every element.
protocol ElementsForward: OpForward {
  func combine(_ first: Float, _ second: Float) -> Float
}

extension ElementsForward {
  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    let inputs = node.operands(workspace)
    let columns = node.node.size
    output = inputs[0].broadcast(columns: columns)
    let count = output.rows * columns
    for input in inputs.dropFirst() {
      if input.columns == columns {
        for k in 0..<count { output.values[k] = combine(output.values[k], input.values[k]) }
      } else {
        for k in 0..<count {
          output.values[k] = combine(output.values[k], input.values[k / columns])
        }
      }
    }
  }
}

extension Matrix {
  /// The matrix itself or, for one column, a matrix that repeats it `columns` times.
  func broadcast(columns: Int) -> Matrix {
    guard self.columns != columns else { return self }
    var wide = Matrix(rows: rows, columns: columns)
    for k in 0..<rows * columns { wide.values[k] = values[k / columns] }
    return wide
  }
}
