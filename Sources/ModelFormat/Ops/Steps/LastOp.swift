/// The last step of a sequence.
package struct LastOp: OpDefinition {
  package static let name = "last"
  package static let documentation = OpDocumentation(
    inputs: "sequence", result: "vector: the last step")

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    .vector(size: try node.sequenceSize(of: node.arguments[0]))
  }
}

extension ModelDescription.Op {
  package static let last = Self(LastOp())
}
