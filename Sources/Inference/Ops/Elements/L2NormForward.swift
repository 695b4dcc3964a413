import ModelFormat

/// Divides each row by its Euclidean norm, but at least by `epsilon`. In double precision, in which no square of a float
/// overflows.
struct L2NormForward: RowForward {
  private let epsilon: Double

  init(_ op: L2NormOp, _ weights: NodeWeights) {
    epsilon = Double(op.epsilon)
  }

  func apply(to rows: inout Matrix, kernels: Kernels) {
    for index in 0..<rows.rows {
      let row = rows.row(index)
      let squares = row.reduce(0) { $0 + Double(rows.values[$1]) * Double(rows.values[$1]) }
      let length = Swift.max(squares.squareRoot(), epsilon)
      for at in row { rows.values[at] = Float(Double(rows.values[at]) / length) }
    }
  }
}
