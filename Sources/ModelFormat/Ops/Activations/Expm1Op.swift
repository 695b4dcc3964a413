/// eˣ − 1.
package struct Expm1Op: OpDefinition {
  package static let name = "expm1"
  package static let documentation = OpDocumentation(
    inputs: "any", result: "`exp(x) - 1`, also for x near 0")

  package init() {}
}

extension ModelDescription.Op {
  package static let expm1 = Self(Expm1Op())
}
