import ModelFormat

struct DivideForward: ElementsForward {
  init(_ op: DivideOp, _ weights: NodeWeights) {}

  func combine(_ first: Float, _ second: Float) -> Float { first / second }
}
