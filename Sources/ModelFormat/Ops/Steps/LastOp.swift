/// The last step of a sequence.
package struct LastOp: PoolDefinition {
  package static let name = "last"
  package static let documentation = OpDocumentation(
    inputs: "sequence", result: "vector: the last step")

  package init() {}
}

extension ModelDescription.Op {
  package static let last = Self(LastOp())
}
