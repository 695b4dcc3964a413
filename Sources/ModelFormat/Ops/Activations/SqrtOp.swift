/// The square root of each element.
package struct SqrtOp: OpDefinition {
  package static let name = "sqrt"
  package static let documentation = OpDocumentation(inputs: "any", result: "`√x`; NaN below 0")

  package init() {}
}

extension ModelDescription.Op {
  package static let sqrt = Self(SqrtOp())
}
