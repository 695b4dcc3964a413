/// The smallest of several values, element by element.
package struct MinimumOp: ElementsDefinition {
  package static let name = "minimum"
  package static let documentation = OpDocumentation(
    inputs: "2 to 100, that fit", result: "the smallest, element by element; NaN where one is")
  package static let inputCount = 2...ModelLimits.nodeInputs

  package init() {}
}

extension ModelDescription.Op {
  package static let minimum = Self(MinimumOp())
}
