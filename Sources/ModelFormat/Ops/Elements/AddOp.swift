/// The sum of several values, element by element.
package struct AddOp: OpDefinition {
  package static let name = "add"
  package static let documentation = OpDocumentation(
    inputs: "2 to 100, of one form and one size",
    result:
      "the sum, element by element. Nothing is broadcast: a vector does not go with a sequence")
  package static let inputCount = 2...ModelLimits.nodeInputs

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    try node.commonForm()
  }
}

extension ModelDescription.Op {
  package static let add = Self(AddOp())
}
