import ModelFormat

struct SubtractForward: ElementsForward {
  init(_ op: SubtractOp, _ weights: NodeWeights) {}

  func combine(_ first: Float, _ second: Float) -> Float { first - second }
}
