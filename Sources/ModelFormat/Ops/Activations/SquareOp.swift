/// Each element times itself.
package struct SquareOp: OpDefinition {
  package static let name = "square"
  package static let documentation = OpDocumentation(inputs: "any", result: "`x²`")

  package init() {}
}

extension ModelDescription.Op {
  package static let square = Self(SquareOp())
}
