/// A piecewise linear approximation of the logistic function. The defaults are PyTorch's; Keras 2 and ONNX have 0.2 and 0.5.
package struct HardSigmoidOp: OpDefinition {
  package static let name = "hard_sigmoid"
  package static let documentation = OpDocumentation(
    inputs: "any",
    parameters:
      "`slope` (1/6), `offset` (0.5), as PyTorch and Keras 3 have it; Keras 2 and ONNX: 0.2, 0.5",
    result: "`min(max(slope · x + offset, 0), 1)`")
  package static let attributes: [OpAttribute<Self>] = [
    .number("slope", \.slope),
    .number("offset", \.offset),
  ]

  package var slope: Float = 1.0 / 6
  package var offset: Float = 0.5

  package init() {}
}

extension ModelDescription.Op {
  package static func hardSigmoid(slope: Float = 1.0 / 6, offset: Float = 0.5) -> Self {
    var op = HardSigmoidOp()
    op.slope = slope
    op.offset = offset
    return Self(op)
  }
}
