/// A convolution over the steps of a sequence.
package struct ConvOp: StepConvolutionDefinition {
  package static let name = "conv"
  package static let documentation = OpDocumentation(
    inputs: "sequence of D",
    parameters:
      "`.weight` [O, D / groups, K], [`.bias` [O]]; `padding` (`\"causal\"`), `stride` (1): see [kernels over the "
      + "steps](#kernels-over-the-steps); `dilation` (1), `groups` (1)",
    result: "sequence of O: `torch.nn.Conv1d` over the steps. Beyond the ends are zeros")
  package static let attributes: [OpAttribute<Self>] =
    kernelAttributes + [.integer("groups", \.groups, in: 1...ModelLimits.size)]

  package var padding: StepKernel.Padding?
  package var stride = 1
  package var dilation = 1
  package var groups = 1
  /// Set once the tensors are known.
  package private(set) var window = StepKernel(padding: .causal)

  package init() {}

  package mutating func resolve(
    _ node: inout NodeResolution
  ) throws(ModelError) -> Model.ValueForm {
    let size = try node.sequenceSize(of: node.arguments[0])
    let (outputs, _, kernel) = try node.useConvolution(
      groups: groups, channels: "\(size) / \(groups)"
    ) { $0 == size }
    window = window(ofKernel: kernel[0])
    try node.place(window)
    return .sequence(size: outputs)
  }
}

extension ModelDescription.Op {
  package static func conv(
    padding: StepKernel.Padding? = nil, stride: Int = 1, dilation: Int = 1, groups: Int = 1
  ) -> Self {
    var op = ConvOp()
    (op.padding, op.stride, op.dilation, op.groups) = (padding, stride, dilation, groups)
    return Self(op)
  }
}
