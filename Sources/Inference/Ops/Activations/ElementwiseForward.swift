import ModelFormat

/// An op that changes each element by itself, by a formula in double precision whose result is rounded once: within 0.51 ULP
/// of the exact value. The formulas are of plain operations and of `Elementary`, so every machine gives the same bits.
protocol ElementwiseForward: RowForward {
  func value(of x: Double) -> Double
}

extension ElementwiseForward {
  func apply(to rows: inout Matrix, kernels: Kernels) {
    let count = rows.rows * rows.columns
    var values = rows.values.mutableSpan
    for k in 0..<count { values[k] = Float(value(of: Double(values[k]))) }
  }
}
