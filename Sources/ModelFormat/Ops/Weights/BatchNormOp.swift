/// Batch normalisation with the statistics of training (Ioffe and Szegedy, 2015).
package struct BatchNormOp: OpDefinition {
  package static let name = "batch_norm"
  package static let documentation = OpDocumentation(
    inputs: "any of D",
    parameters:
      "`.running_mean`, `.running_var`, [`.weight`], [`.bias`]: [C] each, C a divisor of D; "
      + "`epsilon` (1e-5; Keras: 1e-3). `.num_batches_tracked` may be there",
    result: "`(x - mean) / √(variance + epsilon) · weight + bias`; each for D / C elements in a row"
  )
  package static let tensors = [
    "running_mean", "running_var", "weight", "bias", "num_batches_tracked",
  ]
  package static let attributes: [OpAttribute<Self>] = [.number("epsilon", \.epsilon, .zeroOrMore)]

  package var epsilon: Float = 1e-5

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    let channels = try node.useChannels("running_mean")
    try node.use(node.fullName("running_var"), shape: [channels])
    for tensor in ["weight", "bias"] {
      try node.useIfPresent(node.fullName(tensor), shape: [channels])
    }
    node.markAsRead(node.fullName("num_batches_tracked"))
    return node.arguments[0].form
  }
}

extension ModelDescription.Op {
  package static func batchNorm(epsilon: Float = 1e-5) -> Self {
    var op = BatchNormOp()
    op.epsilon = epsilon
    return Self(op)
  }
}
