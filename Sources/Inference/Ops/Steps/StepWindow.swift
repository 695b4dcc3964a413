/// The steps around each step of a sequence. The state keeps the steps before that come from earlier turns; steps after
/// need whole sequences. Beyond the ends are zeros.
struct StepWindow {
  /// The floats of a step.
  let size: Int
  /// The numbers of steps before and after.
  let before: Int
  let after: Int

  /// Whether later steps are needed.
  var looksAhead: Bool { after > 0 }
  /// The state: the steps before the next one, the oldest first; empty for whole sequences.
  var initialState: [Float] { looksAhead ? [] : Array(repeating: 0, count: before * size) }

  /// Lays out a rider's steps of this turn as rows, with the steps around them: the turn's first step is row `before`.
  /// Writes the steps that the next turn needs to `range` of the rider's state.
  func extend(
    _ rider: Int, _ node: NodeTurn, _ input: Matrix, states: inout SeatStates, range: Range<Int>,
    into rows: inout Matrix
  ) {
    let seat = node.plan.riders[rider].seat
    let layout = node.layout(ofInput: 0)
    let count = layout.steps[rider]
    rows.resize(rows: before + count + after, columns: size)
    if looksAhead {
      for at in 0..<before * size { rows.values[at] = 0 }
    } else {
      states.read(seat: seat, range: range, into: &rows, row: 0)
    }
    for t in 0..<count {
      rows.set(
        row: before + t, from: input.values,
        at: layout.row(rider: rider, step: t) * size, count: size)
    }
    for at in (before + count) * size..<(before + count + after) * size {
      rows.values[at] = 0
    }
    if !looksAhead { states.write(seat: seat, range: range, from: rows.values, at: count * size) }
  }
}
