import ModelFormat

/// Group normalisation in double precision, as a group may be wide.
struct GroupNormForward: RowForward {
  private let groups: Int
  private let weight: [Float]?
  private let bias: [Float]?
  private let epsilon: Double

  init(_ op: GroupNormOp, _ weights: NodeWeights) throws(ModelError) {
    groups = op.groups
    weight = try weights.optional("weight")
    bias = try weights.optional("bias")
    epsilon = Double(op.epsilon)
  }

  var byteCount: Int {
    ((weight?.count ?? 0) + (bias?.count ?? 0)) * MemoryLayout<Float>.stride
  }

  func apply(to rows: inout Matrix, kernels: Kernels) {
    let size = rows.columns / groups
    for index in 0..<rows.rows {
      let row = rows.row(index)
      for group in 0..<groups {
        let part = row.lowerBound + group * size..<row.lowerBound + (group + 1) * size
        let (mean, deviation) = rows.moments(of: part, epsilon: epsilon)
        for at in part {
          let k = at - row.lowerBound
          let normal = Float((Double(rows.values[at]) - mean) / deviation)
          let scale = weight.map { $0[k * $0.count / rows.columns] } ?? 1
          rows.values[at] = normal * scale + (bias.map { $0[k * $0.count / rows.columns] } ?? 0)
        }
      }
    }
  }
}

extension Matrix {
  /// The mean of the elements in `part`, and the square root of their biased variance plus `epsilon`.
  func moments(of part: Range<Int>, epsilon: Double) -> (mean: Double, deviation: Double) {
    let count = Double(part.count)
    let mean = part.reduce(0) { $0 + Double(values[$1]) } / count
    let variance =
      part.reduce(0) { sum, at in
        let difference = Double(values[at]) - mean
        return sum + difference * difference
      } / count
    return (mean, (variance + epsilon).squareRoot())
  }
}
