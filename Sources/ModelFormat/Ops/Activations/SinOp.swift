/// The sine of each element, in radians.
package struct SinOp: OpDefinition {
  package static let name = "sin"
  package static let documentation = OpDocumentation(
    inputs: "any", result: "`sin(x)`, x in radians; NaN of infinities")

  package init() {}
}

extension ModelDescription.Op {
  package static let sin = Self(SinOp())
}
