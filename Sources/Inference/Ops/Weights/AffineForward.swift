import ModelFormat

struct AffineForward: RowForward {
  private let scale: [Float]
  private let shift: [Float]

  init(_ op: AffineOp, _ weights: NodeWeights) {
    guard let scale = op.scale, let shift = op.shift else {
      preconditionFailure("an affine not resolved")
    }
    self.scale = scale
    self.shift = shift
  }

  var byteCount: Int { (scale.count + shift.count) * MemoryLayout<Float>.stride }

  func apply(to rows: inout Matrix, kernels: Kernels) {
    for index in 0..<rows.rows {
      for (k, at) in rows.row(index).enumerated() {
        rows.values[at] = rows.values[at] * scale[k] + shift[k]
      }
    }
  }
}
