import ModelFormat

struct MaximumForward: ElementsForward {
  init(_ op: MaximumOp, _ weights: NodeWeights) {}

  func combine(_ first: Float, _ second: Float) -> Float {
    first.isNaN || first > second ? first : second
  }
}
