/// Layer normalisation of each row.
package struct LayerNormOp: OpDefinition {
  package static let name = "layer_norm"
  package static let documentation = OpDocumentation(
    inputs: "any of D", parameters: "[`.weight` [D]], [`.bias` [D]]; `epsilon` (1e-5)",
    result: "`(x - mean) / √(variance + epsilon) · weight + bias`, the variance without Bessel's "
      + "correction, over the elements")
  package static let tensors = ["weight", "bias"]
  package static let attributes: [OpAttribute<Self>] = [.number("epsilon", \.epsilon, .zeroOrMore)]

  package var epsilon: Float = 1e-5

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    let size = try node.size(of: node.arguments[0])
    for tensor in Self.tensors { try node.useIfPresent(node.fullName(tensor), shape: [size]) }
    return node.arguments[0].form
  }
}

extension ModelDescription.Op {
  package static func layerNorm(epsilon: Float) -> Self {
    var op = LayerNormOp()
    op.epsilon = epsilon
    return Self(op)
  }
}
