/// The product of several values, element by element.
package struct MultiplyOp: OpDefinition {
  package static let name = "multiply"
  package static let documentation = OpDocumentation(
    inputs: "2 to 100, of one form and one size",
    result: "the product, element by element; nothing is broadcast")
  package static let inputCount = 2...ModelLimits.nodeInputs

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    try node.commonForm()
  }
}

extension ModelDescription.Op {
  package static let multiply = Self(MultiplyOp())
}
