import ModelFormat

struct GatherForward: SelectionForward {
  let elements: [Int]

  init(_ op: GatherOp, _ weights: NodeWeights) { elements = op.indices }
}
