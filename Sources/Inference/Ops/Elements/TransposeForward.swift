import ModelFormat

struct TransposeForward: SelectionForward {
  let elements: [Int]

  init(_ op: TransposeOp, _ weights: NodeWeights) {
    let columns = weights.node.size / op.rows
    elements = (0..<columns).flatMap { column in
      (0..<op.rows).map { $0 * columns + column }
    }
  }
}
