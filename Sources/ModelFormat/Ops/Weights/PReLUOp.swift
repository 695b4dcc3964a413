/// The rectifier with a learnt slope below 0 (He et al., 2015).
package struct PReLUOp: OpDefinition {
  package static let name = "prelu"
  package static let documentation = OpDocumentation(
    inputs: "any of D", parameters: "`.weight` [C], C a divisor of D",
    result: "`x`, below 0 `weight · x`; each weight for D / C elements in a row")
  package static let tensors = ["weight"]

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    _ = try node.useChannels("weight")
    return node.arguments[0].form
  }
}

extension ModelDescription.Op {
  package static let prelu = Self(PReLUOp())
}
