/// The sum of each element over the steps.
package struct SumOp: OpDefinition {
  package static let name = "sum"
  package static let documentation = OpDocumentation(
    inputs: "sequence", result: "vector: the sum of each element over the steps")

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    .vector(size: try node.sequenceSize(of: node.arguments[0]))
  }
}

extension ModelDescription.Op {
  package static let sum = Self(SumOp())
}
