import ModelFormat

struct SliceForward: SelectionForward {
  let elements: [Int]

  init(_ op: SliceOp, _ weights: NodeWeights) {
    guard let end = op.end else { preconditionFailure("a slice not resolved") }
    elements = Array(stride(from: op.start, to: end, by: op.stride))
  }
}
