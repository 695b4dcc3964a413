/// The cosine of each element, in radians.
package struct CosOp: OpDefinition {
  package static let name = "cos"
  package static let documentation = OpDocumentation(
    inputs: "any", result: "`cos(x)`, x in radians; NaN of infinities")

  package init() {}
}

extension ModelDescription.Op {
  package static let cos = Self(CosOp())
}
