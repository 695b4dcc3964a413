import ModelFormat

struct MaxPoolForward: StepPoolForward {
  let window: KernelWindow

  init(_ op: MaxPoolOp, _ weights: NodeWeights) {
    window = KernelWindow(op.pooling.window, size: weights.node.size)
  }

  func reduce(
    _ rows: Matrix, from first: Int, steps: (count: Int, start: Int), into output: inout Matrix,
    row: Int
  ) {
    let dilation = window.kernel.dilation
    let taps = (0..<window.kernel.kernel).filter {
      (0..<steps.count).contains(steps.start + $0 * dilation)
    }
    for (k, at) in output.row(row).enumerated() {
      var largest = -Float.infinity
      for tap in taps {
        let value = rows.values[(first + tap * dilation) * rows.columns + k]
        // As PyTorch has it, a NaN wins.
        if value > largest || value.isNaN { largest = value }
        if largest.isNaN { break }
      }
      output.values[at] = largest
    }
  }
}
