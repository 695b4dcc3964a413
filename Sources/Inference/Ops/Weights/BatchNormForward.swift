import ModelFormat

/// Batch normalisation in double precision, rounded once.
struct BatchNormForward: RowForward {
  private let scale: [Double]
  private let mean: [Double]
  private let bias: [Double]

  init(_ op: BatchNormOp, _ weights: NodeWeights) throws(ModelError) {
    mean = try weights.required("running_mean").map(Double.init)
    let deviations = try weights.required("running_var").map {
      (Double($0) + Double(op.epsilon)).squareRoot()
    }
    let weight = try weights.optional("weight")
    let bias = try weights.optional("bias")
    scale = deviations.enumerated().map { Double(weight?[$0.offset] ?? 1) / $0.element }
    self.bias = mean.indices.map { Double(bias?[$0] ?? 0) }
  }

  var byteCount: Int { 3 * scale.count * MemoryLayout<Double>.stride }

  func apply(to rows: inout Matrix, kernels: Kernels) {
    let length = rows.columns / scale.count
    for index in 0..<rows.rows {
      for (k, at) in rows.row(index).enumerated() {
        let channel = k / length
        rows.values[at] = Float(
          (Double(rows.values[at]) - mean[channel]) * scale[channel] + bias[channel])
      }
    }
  }
}
