import ModelFormat

struct PReLUForward: RowForward {
  private let weight: [Float]

  init(_ op: PReLUOp, _ weights: NodeWeights) throws(ModelError) {
    weight = try weights.required("weight")
  }

  var byteCount: Int { weight.count * MemoryLayout<Float>.stride }

  func apply(to rows: inout Matrix, kernels: Kernels) {
    let length = rows.columns / weight.count
    for index in 0..<rows.rows {
      for (k, at) in rows.row(index).enumerated() where rows.values[at] < 0 {
        rows.values[at] *= weight[k / length]
      }
    }
  }
}
