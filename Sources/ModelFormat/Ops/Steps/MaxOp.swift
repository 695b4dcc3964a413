/// The largest of each element over the steps.
package struct MaxOp: OpDefinition {
  package static let name = "max"
  package static let documentation = OpDocumentation(
    inputs: "sequence", result: "vector: the largest of each element over the steps")

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    .vector(size: try node.sequenceSize(of: node.arguments[0]))
  }
}

extension ModelDescription.Op {
  package static let max = Self(MaxOp())
}
