/// The sum of each element over the steps.
package struct SumOp: PoolDefinition {
  package static let name = "sum"
  package static let documentation = OpDocumentation(
    inputs: "sequence", result: "vector: the sum of each element over the steps")

  package init() {}
}

extension ModelDescription.Op {
  package static let sum = Self(SumOp())
}
