/// The mean of each element over the steps.
package struct MeanOp: PoolDefinition {
  package static let name = "mean"
  package static let documentation = OpDocumentation(
    inputs: "sequence", result: "vector: the mean of each element over the steps")

  package init() {}
}

extension ModelDescription.Op {
  package static let mean = Self(MeanOp())
}
