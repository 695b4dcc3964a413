import ModelFormat

/// RMS normalisation in double precision, as a row may be wide.
struct RMSNormForward: RowForward {
  private let weight: [Float]?
  private let epsilon: Double

  init(_ op: RMSNormOp, _ weights: NodeWeights) throws(ModelError) {
    weight = try weights.optional("weight")
    epsilon = Double(op.epsilon)
  }

  var byteCount: Int { (weight?.count ?? 0) * MemoryLayout<Float>.stride }

  func apply(to rows: inout Matrix, kernels: Kernels) {
    for index in 0..<rows.rows {
      let row = rows.row(index)
      let squares = row.reduce(0) { $0 + Double(rows.values[$1]) * Double(rows.values[$1]) }
      let root = (squares / Double(row.count) + epsilon).squareRoot()
      for (k, at) in row.enumerated() {
        rows.values[at] = Float(Double(rows.values[at]) / root) * (weight?[k] ?? 1)
      }
    }
  }
}
