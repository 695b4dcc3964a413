/// The maximum of each window over the steps.
package struct MaxPoolOp: StepPoolDefinition {
  package static let name = "max_pool"
  package static let documentation = OpDocumentation(
    inputs: "sequence of D", parameters: "\(stepPoolParameters); `dilation` (1)",
    result:
      "sequence of D: the largest of each window, element by element; padding counts for nothing")
  package static let attributes: [OpAttribute<Self>] =
    poolAttributes + [.integer("dilation", \.pooling.dilation, in: 1...ModelLimits.size)]

  package var pooling = StepPooling()

  package init() {}
}

extension ModelDescription.Op {
  package static func maxPool(
    kernel: Int = 2, stride: Int? = nil, padding: StepKernel.Padding? = nil, dilation: Int = 1,
    ceil: Bool = false
  ) -> Self {
    var op = MaxPoolOp()
    op.pooling = StepPooling(
      kernel: kernel, stride: stride, dilation: dilation, padding: padding, ceil: ceil)
    return Self(op)
  }
}
