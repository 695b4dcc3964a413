import ModelFormat

/// In double precision, rounded once.
struct AveragePoolForward: StepPoolForward {
  let window: KernelWindow
  private let countsPadding: Bool

  init(_ op: AveragePoolOp, _ weights: NodeWeights) {
    window = KernelWindow(op.pooling.window, size: weights.node.size)
    countsPadding = op.countsPadding
  }

  func reduce(
    _ rows: Matrix, from first: Int, steps: (count: Int, start: Int), into output: inout Matrix,
    row: Int
  ) {
    let kernel = window.kernel.kernel
    // What `ceil` adds behind the padding counts for nothing.
    let behind = countsPadding ? window.kernel.after(stepCount: steps.count) : 0
    let end = Swift.min(steps.start + kernel, steps.count + behind)
    let divisor = Double(end - (countsPadding ? steps.start : Swift.max(steps.start, 0)))
    for (k, at) in output.row(row).enumerated() {
      var sum = 0.0
      for tap in 0..<kernel { sum += Double(rows.values[(first + tap) * rows.columns + k]) }
      output.values[at] = Float(sum / divisor)
    }
  }
}
