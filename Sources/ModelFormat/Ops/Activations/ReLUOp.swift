/// Each element, or 0 if it is below 0.
package struct ReLUOp: OpDefinition {
  package static let name = "relu"
  package static let documentation = OpDocumentation(inputs: "any", result: "`max(x, 0)`")

  package init() {}
}

extension ModelDescription.Op {
  package static let relu = Self(ReLUOp())
}
