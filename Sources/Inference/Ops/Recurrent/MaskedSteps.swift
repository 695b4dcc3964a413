import ModelFormat

/// The steps of a turn that count under a mask. A recurrent network runs over these only, and so carries its state unchanged
/// over the others.
struct MaskedSteps {
  /// The layout of the steps that count.
  let layout: PackedLayout
  /// For each rider, its steps that count.
  private let steps: [[Int]]
  private let whole: PackedLayout

  init(_ mask: StepMask, of layout: PackedLayout) {
    whole = layout
    steps = layout.steps.indices.map { mask.steps(of: $0, in: layout) }
    self.layout = PackedLayout(steps: steps.map(\.count))
  }

  /// The rows of `input` at the steps that count.
  func gather(_ input: Matrix) -> Matrix {
    var rows = Matrix(rows: layout.rows, columns: input.columns)
    for (rider, steps) in steps.enumerated() {
      for (place, step) in steps.enumerated() {
        rows.set(
          row: layout.row(rider: rider, step: place), from: input.values,
          at: whole.row(rider: rider, step: step) * input.columns, count: input.columns)
      }
    }
    return rows
  }

  /// Copies the network's outputs in one direction (`columns` of a step) to all steps. A step that does not count gets
  /// the previous output in that direction if `repeats`, else zeros; `previous` carries the last output from turn to
  /// turn.
  func scatter(
    _ found: Matrix, columns: Range<Int>, isReverse: Bool, repeats: Bool,
    previous: inout Matrix, into output: inout Matrix
  ) {
    for (rider, kept) in steps.enumerated() {
      var next = isReverse ? kept.count - 1 : 0
      /// The place in `found.values` of the output to repeat; nil while that is `previous`.
      var current: Int?
      for index in 0..<whole.steps[rider] {
        let step = isReverse ? whole.steps[rider] - 1 - index : index
        let target = whole.row(rider: rider, step: step)
        let isKept = kept.indices.contains(next) && kept[next] == step
        if isKept {
          current = layout.row(rider: rider, step: next) * found.columns + columns.lowerBound
          next += isReverse ? -1 : 1
        }
        if !isKept, !repeats {
          for column in columns { output.values[target * output.columns + column] = 0 }
        } else if let current {
          output.set(
            row: target, column: columns.lowerBound, from: found.values, at: current,
            count: columns.count)
        } else {
          output.set(
            row: target, column: columns.lowerBound, from: previous.values,
            at: rider * previous.columns, count: columns.count)
        }
      }
      if let current {
        previous.set(row: rider, from: found.values, at: current, count: columns.count)
      }
    }
  }
}
