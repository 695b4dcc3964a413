/// The product of several values, element by element.
package struct MultiplyOp: ElementsDefinition {
  package static let name = "multiply"
  package static let documentation = OpDocumentation(
    inputs: "2 to 100, that fit", result: "the product, element by element")
  package static let inputCount = 2...ModelLimits.nodeInputs

  package init() {}
}

extension ModelDescription.Op {
  package static let multiply = Self(MultiplyOp())
}
