import ModelFormat

struct MaxForward: PoolForward {
  init(_ op: MaxOp, _ weights: NodeWeights) {}

  func initialState(size: Int) -> [Float] { Array(repeating: -.infinity, count: size) }

  func add(
    _ input: [Float], at start: Int, isFirst: Bool, to state: PoolState,
    of states: inout SeatStates
  ) {
    // As PyTorch has it, a NaN wins.
    states.merge(seat: state.seat, range: state.range, with: input, at: start) {
      $1 > $0 || $1.isNaN ? $1 : $0
    }
  }
}
