import ModelFormat

/// Layer normalisation (Ba, Kiros and Hinton, 2016) with the biased variance, as in PyTorch. In double precision, as a row may
/// be wide.
struct LayerNormForward: RowForward {
  private let weight: [Float]?
  private let bias: [Float]?
  private let epsilon: Double

  init(_ op: LayerNormOp, _ weights: NodeWeights) throws(ModelError) {
    weight = try weights.optional("weight")
    bias = try weights.optional("bias")
    epsilon = Double(op.epsilon)
  }

  var byteCount: Int {
    ((weight?.count ?? 0) + (bias?.count ?? 0)) * MemoryLayout<Float>.stride
  }

  func apply(to rows: inout Matrix, kernels: Kernels) {
    for index in 0..<rows.rows {
      let row = rows.row(index)
      let (mean, deviation) = rows.moments(of: row, epsilon: epsilon)
      for (k, at) in row.enumerated() {
        let normal = Float((Double(rows.values[at]) - mean) / deviation)
        rows.values[at] = normal * (weight?[k] ?? 1) + (bias?[k] ?? 0)
      }
    }
  }
}
