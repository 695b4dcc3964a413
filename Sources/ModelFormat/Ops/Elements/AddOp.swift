/// The sum of several values, element by element.
package struct AddOp: ElementsDefinition {
  package static let name = "add"
  package static let documentation = OpDocumentation(
    inputs: "2 to 100, that fit", result: "the sum, element by element")
  package static let inputCount = 2...ModelLimits.nodeInputs

  package init() {}
}

extension ModelDescription.Op {
  package static let add = Self(AddOp())
}
