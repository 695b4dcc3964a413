/// Each row divided by its root mean square (Zhang and Sennrich, 2019).
package struct RMSNormOp: OpDefinition {
  package static let name = "rms_norm"
  package static let documentation = OpDocumentation(
    inputs: "any of D", parameters: "[`.weight` [D]]; `epsilon` (1e-6)",
    result: "`x / √(mean of x² + epsilon) · weight`, over the elements")
  package static let tensors = ["weight"]
  package static let attributes: [OpAttribute<Self>] = [.number("epsilon", \.epsilon, .zeroOrMore)]

  package var epsilon: Float = 1e-6

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    let size = try node.size(of: node.arguments[0])
    try node.useIfPresent(node.fullName("weight"), shape: [size])
    return node.arguments[0].form
  }
}

extension ModelDescription.Op {
  package static func rmsNorm(epsilon: Float = 1e-6) -> Self {
    var op = RMSNormOp()
    op.epsilon = epsilon
    return Self(op)
  }
}
