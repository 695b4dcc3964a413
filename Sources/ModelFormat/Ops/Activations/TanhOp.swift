/// The hyperbolic tangent of each element.
package struct TanhOp: OpDefinition {
  package static let name = "tanh"
  package static let documentation = OpDocumentation(inputs: "any", result: "`tanh(x)`")

  package init() {}
}

extension ModelDescription.Op {
  package static let tanh = Self(TanhOp())
}
