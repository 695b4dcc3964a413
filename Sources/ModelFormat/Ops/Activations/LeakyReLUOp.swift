/// Each element, multiplied by a slope if it is below 0. PyTorch calls the slope `negative_slope`, ONNX `alpha`.
package struct LeakyReLUOp: OpDefinition {
  package static let name = "leaky_relu"
  package static let documentation = OpDocumentation(
    inputs: "any", parameters: "`slope` (0.01)",
    result: "`x`, below 0 `slope · x`")
  package static let attributes: [OpAttribute<Self>] = [
    .number("slope", \.slope)
  ]

  package var slope: Float = 0.01

  package init() {}
}

extension ModelDescription.Op {
  package static func leakyReLU(slope: Float = 0.01) -> Self {
    var op = LeakyReLUOp()
    op.slope = slope
    return Self(op)
  }
}
