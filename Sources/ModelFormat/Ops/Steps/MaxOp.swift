/// The maximum of each element over the steps.
package struct MaxOp: PoolDefinition {
  package static let name = "max"
  package static let documentation = OpDocumentation(
    inputs: "sequence", result: "vector: the largest of each element over the steps")

  package init() {}
}

extension ModelDescription.Op {
  package static let max = Self(MaxOp())
}
