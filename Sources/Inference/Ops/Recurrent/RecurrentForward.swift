import ModelFormat

/// An op that is a recurrent network of one kind of cell.
///
/// Each is a type of its own, not a generic one: through a generic conformance the compiler would call code that is not
/// specialised for the cell.
protocol RecurrentForward: OpForward where Definition == Cell.Definition {
  associatedtype Cell: RecurrentCell

  var network: RecurrentNetwork<Cell> { get }

  init(_ network: RecurrentNetwork<Cell>)
}

extension RecurrentForward {
  init(_ op: Cell.Definition, _ weights: NodeWeights) throws(ModelError) {
    self.init(try RecurrentNetwork(op, weights))
  }

  var byteCount: Int { network.byteCount }
  var largestRecurrentByteCount: Int { network.largestRecurrentByteCount }
  var needsWholeSequence: Bool { network.needsWholeSequence }

  func domain(of inputs: [RowDomain]) -> RowDomain { .steps }

  func initialState(size: Int) -> [Float] { network.initialState }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    network.forward(node, states: &states, workspace: &workspace, into: &output)
  }
}
