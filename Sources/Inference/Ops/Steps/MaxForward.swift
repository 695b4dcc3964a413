import ModelFormat

struct MaxForward: PoolForward {
  init(_ op: MaxOp, _ weights: NodeWeights) {}

  /// Finite, so that a state can be sent to the client even if no step counted so far.
  func initialState(size: Int) -> [Float] { Array(repeating: 0, count: size) }

  func add(
    _ input: [Float], at start: Int, isFirst: Bool, to state: PoolState,
    of states: inout SeatStates
  ) {
    if isFirst {
      return states.write(seat: state.seat, range: state.range, from: input, at: start)
    }
    // NaN wins, as in PyTorch.
    states.merge(seat: state.seat, range: state.range, with: input, at: start) {
      $1 > $0 || $1.isNaN ? $1 : $0
    }
  }
}
