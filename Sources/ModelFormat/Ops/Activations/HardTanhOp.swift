/// A piecewise linear approximation of the hyperbolic tangent.
package struct HardTanhOp: OpDefinition {
  package static let name = "hard_tanh"
  package static let documentation = OpDocumentation(
    inputs: "any",
    result: "`min(max(x, -1), 1)`")

  package init() {}
}

extension ModelDescription.Op {
  package static let hardTanh = Self(HardTanhOp())
}
