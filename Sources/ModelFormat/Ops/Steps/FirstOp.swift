/// The first step of a sequence.
package struct FirstOp: OpDefinition {
  package static let name = "first"
  package static let documentation = OpDocumentation(
    inputs: "sequence", result: "vector: the first step")

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    .vector(size: try node.sequenceSize(of: node.arguments[0]))
  }
}

extension ModelDescription.Op {
  package static let first = Self(FirstOp())
}
