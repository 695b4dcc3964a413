/// The steps of a sequence from the last to the first.
package struct ReverseOp: OpDefinition {
  package static let name = "reverse"
  package static let documentation = OpDocumentation(
    inputs: "sequence", result: "sequence: the steps from the last to the first")

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    .sequence(size: try node.sequenceSize(of: node.arguments[0]))
  }
}

extension ModelDescription.Op {
  package static let reverse = Self(ReverseOp())
}
