/// The first step of a sequence.
package struct FirstOp: PoolDefinition {
  package static let name = "first"
  package static let documentation = OpDocumentation(
    inputs: "sequence", result: "vector: the first step")

  package init() {}
}

extension ModelDescription.Op {
  package static let first = Self(FirstOp())
}
