/// The exponential of each element.
package struct ExpOp: OpDefinition {
  package static let name = "exp"
  package static let documentation = OpDocumentation(inputs: "any", result: "`exp(x)`")

  package init() {}
}

extension ModelDescription.Op {
  package static let exp = Self(ExpOp())
}
