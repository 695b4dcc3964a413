/// A convolution over the steps of a sequence, which keeps their number.
package struct ConvOp: OpDefinition {
  /// Where the steps lie that a result is made of.
  package enum Padding: String, Sendable {
    /// Up to its own: the op streams.
    case causal
    /// Around its own, where their number is even one more behind it.
    case same
  }

  package static let name = "conv"
  package static let documentation = OpDocumentation(
    inputs: "sequence of D",
    parameters:
      "`.weight` [O, D / groups, K], [`.bias` [O]]; `padding`: `\"causal\"` (the default) or `\"same\"`; "
      + "`dilation` (1), `groups` (1)",
    result:
      "sequence of O: `torch.nn.Conv1d` over the steps. Causal: a step is made of itself and of those before it; same: of "
      + "those around it. Beyond the ends are zeros")
  package static let tensors = ["weight", "bias"]
  package static let attributes: [OpAttribute<Self>] = [
    .word("padding", \.padding, expected: "\"causal\" or \"same\""),
    .integer("dilation", \.dilation, in: 1...ModelLimits.size),
    .integer("groups", \.groups, in: 1...ModelLimits.size),
  ]

  package var padding: Padding?
  package var dilation = 1
  package var groups = 1
  /// Set once the tensors are known.
  package private(set) var kernel = 1

  package init() {}

  package mutating func resolve(
    _ node: inout NodeResolution
  ) throws(ModelError) -> Model.ValueForm {
    let size = try node.sequenceSize(of: node.arguments[0])
    let (outputs, _, kernel) = try node.useConvolution(
      groups: groups, channels: "\(size) / \(groups)"
    ) { $0 == size }
    self.kernel = kernel
    guard (kernel - 1) * dilation <= ModelLimits.size else {
      throw .unexpected(
        path: "\(node.path).dilation", found: "\(dilation)",
        expected: "a kernel over at most \(ModelLimits.size) steps")
    }
    return .sequence(size: outputs)
  }
}

extension ModelDescription.Op {
  package static func conv(
    padding: ConvOp.Padding? = nil, dilation: Int = 1, groups: Int = 1
  ) -> Self {
    var op = ConvOp()
    (op.padding, op.dilation, op.groups) = (padding, dilation, groups)
    return Self(op)
  }
}
