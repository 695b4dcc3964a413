import ModelFormat

struct AddForward: ElementsForward {
  init(_ op: AddOp, _ weights: NodeWeights) {}

  func combine(_ first: Float, _ second: Float) -> Float { first + second }
}
