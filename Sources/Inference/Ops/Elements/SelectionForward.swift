/// An op that selects elements of its input.
protocol SelectionForward: OpForward {
  /// The indices of the elements in the input.
  var elements: [Int] { get }
}

extension SelectionForward {
  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    let input = node.operand(0, workspace)
    output.resize(rows: input.rows, columns: elements.count)
    for index in 0..<input.rows {
      let (source, target) = (input.row(index).lowerBound, output.row(index).lowerBound)
      for (k, element) in elements.enumerated() {
        output.values[target + k] = input.values[source + element]
      }
    }
  }
}
