import ModelFormat

/// An op that changes each element by a formula in double precision, rounded once: within 0.51 ULP of the exact value. The
/// formulas use plain operations and `Elementary`, so that every machine gives the same bits.
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
