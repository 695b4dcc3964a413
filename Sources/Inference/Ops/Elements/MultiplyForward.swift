import ModelFormat

struct MultiplyForward: ElementsForward {
  init(_ op: MultiplyOp, _ weights: NodeWeights) {}

  func combine(_ first: Float, _ second: Float) -> Float { first * second }
}
