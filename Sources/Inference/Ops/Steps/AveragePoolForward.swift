import ModelFormat

/// Averages in double precision, rounded once.
struct AveragePoolForward: StepPoolForward {
  let window: KernelWindow
  private let countsPadding: Bool

  init(_ op: AveragePoolOp, _ weights: NodeWeights) {
    window = KernelWindow(op.pooling.window, size: weights.node.size)
    countsPadding = op.countsPadding
  }

  func reduce(
    _ rows: Matrix, _ covered: [Int], start: Int, count: Int, into output: inout Matrix, row: Int
  ) {
    // Positions behind the padding, which `ceil` adds, do not count in the divisor.
    let end = Swift.min(
      start + window.kernel.kernel, count + window.kernel.after(stepCount: count))
    let divisor = Double(countsPadding ? end - start : covered.count)
    for (k, at) in output.row(row).enumerated() {
      var sum = 0.0
      for step in covered { sum += Double(rows.values[step * rows.columns + k]) }
      output.values[at] = Float(sum / divisor)
    }
  }
}
