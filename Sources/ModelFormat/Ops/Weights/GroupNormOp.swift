/// Normalisation of groups of channels (Wu and He, 2018); with as many groups as channels, instance normalisation.
package struct GroupNormOp: OpDefinition {
  package static let name = "group_norm"
  package static let documentation = OpDocumentation(
    inputs: "any of D",
    parameters:
      "`groups`: a divisor of D; [`.weight` [C]], [`.bias` [C]], C a divisor of D and a multiple of "
      + "`groups`; `epsilon` (1e-5)",
    result:
      "`(x - mean) / √(variance + epsilon) · weight + bias`, mean and variance of a group's D / groups "
      + "elements in a row, the variance without Bessel's correction")
  package static let tensors = ["weight", "bias"]
  package static let attributes: [OpAttribute<Self>] = [
    .integer("groups", \.groups, in: 1...ModelLimits.size),
    .number("epsilon", \.epsilon, .zeroOrMore),
  ]

  package var groups = 1
  package var epsilon: Float = 1e-5

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    try node.checkChannels(groups, key: "groups")
    for tensor in Self.tensors where node.tensors.contains(node.fullName(tensor)) {
      let channels = try node.useChannels(tensor)
      guard channels.isMultiple(of: groups) else {
        throw .shapeMismatch(
          tensor: node.fullName(tensor), expected: "[a multiple of \(groups)]", found: [channels])
      }
    }
    return node.arguments[0].form
  }
}

extension ModelDescription.Op {
  package static func groupNorm(groups: Int, epsilon: Float = 1e-5) -> Self {
    var op = GroupNormOp()
    (op.groups, op.epsilon) = (groups, epsilon)
    return Self(op)
  }
}
