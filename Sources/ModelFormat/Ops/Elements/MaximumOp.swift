/// The largest of several values, element by element.
package struct MaximumOp: ElementsDefinition {
  package static let name = "maximum"
  package static let documentation = OpDocumentation(
    inputs: "2 to 100, that fit", result: "the largest, element by element; NaN where one is")
  package static let inputCount = 2...ModelLimits.nodeInputs

  package init() {}
}

extension ModelDescription.Op {
  package static let maximum = Self(MaximumOp())
}
