/// The elements of several values, one after another.
package struct ConcatOp: OpDefinition {
  package static let name = "concat"
  package static let documentation = OpDocumentation(
    inputs: "2 to 100",
    result: "the elements one after another; a vector stands at every step of a sequence")
  package static let inputCount = 2...ModelLimits.nodeInputs

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    var total = 0
    for argument in node.arguments { total += try node.size(of: argument) }
    return node.steppedForm(size: total)
  }
}

extension ModelDescription.Op {
  package static let concat = Self(ConcatOp())
}
