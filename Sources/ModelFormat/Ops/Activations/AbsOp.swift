/// The magnitude of each element.
package struct AbsOp: OpDefinition {
  package static let name = "abs"
  package static let documentation = OpDocumentation(inputs: "any", result: "`abs(x)`")

  package init() {}
}

extension ModelDescription.Op {
  package static let abs = Self(AbsOp())
}
