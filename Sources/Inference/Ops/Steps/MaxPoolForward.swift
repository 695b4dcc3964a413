import ModelFormat

struct MaxPoolForward: StepPoolForward {
  let window: KernelWindow

  init(_ op: MaxPoolOp, _ weights: NodeWeights) {
    window = KernelWindow(op.pooling.window, size: weights.node.size)
  }

  func reduce(
    _ rows: Matrix, _ covered: [Int], start: Int, count: Int, into output: inout Matrix, row: Int
  ) {
    for (k, at) in output.row(row).enumerated() {
      var largest = -Float.infinity
      for step in covered {
        let value = rows.values[step * rows.columns + k]
        // As PyTorch has it, a NaN wins.
        if value > largest || value.isNaN { largest = value }
        if largest.isNaN { break }
      }
      output.values[at] = largest
    }
  }
}
