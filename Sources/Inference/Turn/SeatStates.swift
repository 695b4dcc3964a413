/// The states of the riders on board, a row for each seat. Rows are allocated when a seat is first used.
package struct SeatStates {
  private var matrix: Matrix

  package init(graph: ModelGraph) {
    matrix = Matrix(rows: 0, columns: graph.initialState.count)
  }

  /// Sets a seat to the initial state.
  mutating func reset(seat: Int, graph: ModelGraph) {
    fill(seat: seat, with: graph.initialState)
  }

  /// Sets a seat to a given state.
  mutating func resume(seat: Int, from state: SequenceState) {
    fill(seat: seat, with: state.floats)
  }

  /// The state of a seat whose sequence has done `position` steps.
  package func state(ofSeat seat: Int, position: Int) -> SequenceState {
    SequenceState(position: position, floats: Array(matrix.values[matrix.row(seat)]))
  }

  private mutating func fill(seat: Int, with floats: [Float]) {
    precondition(floats.count == matrix.columns)
    // Rows are contiguous, so adding rows keeps the others.
    if seat >= matrix.rows { matrix.resize(rows: seat + 1, columns: matrix.columns) }
    matrix.set(row: seat, from: floats, at: 0, count: floats.count)
  }

  /// Moves the state of one seat to another.
  package mutating func move(from source: Int, to target: Int) {
    matrix.copy(row: source, to: target)
  }

  /// Copies floats `range` of a seat's state into a row of `target`.
  func read(seat: Int, range: Range<Int>, into target: inout Matrix, row: Int) {
    target.set(
      row: row, from: matrix.values, at: seat * matrix.columns + range.lowerBound,
      count: range.count)
  }

  /// Copies `range.count` floats of `source` from `start` on into `range` of a seat's state.
  mutating func write(seat: Int, range: Range<Int>, from source: [Float], at start: Int) {
    matrix.set(
      row: seat, column: range.lowerBound, from: source, at: start, count: range.count)
  }

  /// Merges each of a seat's floats with the corresponding one of `source`, from `start` on.
  mutating func merge(
    seat: Int, range: Range<Int>, with source: [Float], at start: Int,
    _ combine: (Float, Float) -> Float
  ) {
    let base = seat * matrix.columns + range.lowerBound
    var values = matrix.values.mutableSpan
    let other = source.span
    for k in 0..<range.count {
      values[base + k] = combine(values[base + k], other[start + k])
    }
  }

  /// Adds floats of `source`, from `start` on, to a seat's sums (`PreciseSum`): in `range` first all rounded sums, then all
  /// errors.
  mutating func add(seat: Int, range: Range<Int>, _ source: [Float], at start: Int) {
    let count = range.count / 2
    let base = seat * matrix.columns + range.lowerBound
    var values = matrix.values.mutableSpan
    let other = source.span
    for k in 0..<count {
      var sum = PreciseSum(high: values[base + k], low: values[base + count + k])
      sum.add(other[start + k])
      values[base + k] = sum.high
      values[base + count + k] = sum.low
    }
  }

  /// The `k`-th of a seat's sums.
  func sum(seat: Int, range: Range<Int>, at k: Int) -> PreciseSum {
    let base = seat * matrix.columns + range.lowerBound
    return PreciseSum(
      high: matrix.values[base + k], low: matrix.values[base + range.count / 2 + k])
  }
}
