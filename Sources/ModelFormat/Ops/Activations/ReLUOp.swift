/// Each element, and 0 in the place of one below.
package struct ReLUOp: OpDefinition {
  package static let name = "relu"
  package static let documentation = OpDocumentation(inputs: "any", result: "`max(x, 0)`")

  package init() {}
}

extension ModelDescription.Op {
  package static let relu = Self(ReLUOp())
}
