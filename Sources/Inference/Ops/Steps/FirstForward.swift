import ModelFormat

struct FirstForward: PoolForward {
  init(_ op: FirstOp, _ weights: NodeWeights) {}

  func initialState(size: Int) -> [Float] { Array(repeating: 0, count: size) }

  func add(
    _ input: [Float], at start: Int, isFirst: Bool, to state: PoolState,
    of states: inout SeatStates
  ) {
    guard isFirst else { return }
    states.write(seat: state.seat, range: state.range, from: input, at: start)
  }
}
