import ModelFormat

struct MinimumForward: ElementsForward {
  init(_ op: MinimumOp, _ weights: NodeWeights) {}

  func combine(_ first: Float, _ second: Float) -> Float {
    first.isNaN || first < second ? first : second
  }
}
