import ModelFormat

struct MaxForward: PoolForward {
  init(_ op: MaxOp, _ weights: NodeWeights) {}

  /// Finite, so that it can be taken along where a mask has passed over every step so far.
  func initialState(size: Int) -> [Float] { Array(repeating: 0, count: size) }

  func add(
    _ input: [Float], at start: Int, isFirst: Bool, to state: PoolState,
    of states: inout SeatStates
  ) {
    if isFirst {
      return states.write(seat: state.seat, range: state.range, from: input, at: start)
    }
    // As PyTorch has it, a NaN wins.
    states.merge(seat: state.seat, range: state.range, with: input, at: start) {
      $1 > $0 || $1.isNaN ? $1 : $0
    }
  }
}
