/// The logarithm of 1 + x.
package struct Log1pOp: OpDefinition {
  package static let name = "log1p"
  package static let documentation = OpDocumentation(
    inputs: "any", result: "`ln(1 + x)`, also for x near 0; of -1 minus infinity, NaN below")

  package init() {}
}

extension ModelDescription.Op {
  package static let log1p = Self(Log1pOp())
}
