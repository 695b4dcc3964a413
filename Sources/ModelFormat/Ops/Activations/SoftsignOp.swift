/// x / (1 + |x|) for each element x.
package struct SoftsignOp: OpDefinition {
  package static let name = "softsign"
  package static let documentation = OpDocumentation(
    inputs: "any", result: "`x / (1 + abs(x))`")

  package init() {}
}

extension ModelDescription.Op {
  package static let softsign = Self(SoftsignOp())
}
