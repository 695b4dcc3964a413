/// Each element, or 0 if it is not larger than a threshold.
package struct ThresholdedReLUOp: OpDefinition {
  package static let name = "thresholded_relu"
  package static let documentation = OpDocumentation(
    inputs: "any", parameters: "`alpha` (1)",
    result: "`x`; where `x ≤ alpha`, 0")
  package static let attributes: [OpAttribute<Self>] = [
    .number("alpha", \.alpha)
  ]

  package var alpha: Float = 1

  package init() {}
}

extension ModelDescription.Op {
  package static func thresholdedReLU(alpha: Float = 1) -> Self {
    var op = ThresholdedReLUOp()
    op.alpha = alpha
    return Self(op)
  }
}
