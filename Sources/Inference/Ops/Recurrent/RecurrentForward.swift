import ModelFormat

/// A recurrent network with one kind of cell.
protocol RecurrentForward: OpForward where Definition: RecurrentOp {
  var network: RecurrentNetwork { get }

  init(_ network: RecurrentNetwork)

  /// The cell of a direction, 0 or 1.
  static func cell(_ op: Definition, direction: Int) -> RecurrentCell
}

extension RecurrentForward {
  init(_ op: Definition, _ weights: NodeWeights) throws(ModelError) {
    self.init(
      try RecurrentNetwork((0..<2).map { Self.cell(op, direction: $0) }, weights))
  }

  var byteCount: Int { network.byteCount }
  var largestRecurrentByteCount: Int { network.largestRecurrentByteCount }
  var needsWholeSequence: Bool { network.needsWholeSequence }

  func domain(of inputs: [RowDomain]) -> RowDomain { .steps }

  func initialState(size: Int) -> [Float] { network.initialState }
  func maskState(size: Int) -> [Float] { network.maskState(size: size) }

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    network.forward(node, states: &states, workspace: &workspace, into: &output)
  }
}
