/// The rows of a table for numbers of a value, as for a category among the elements of a step.
package struct LookupOp: OpDefinition {
  package static let name = "lookup"
  package static let documentation = OpDocumentation(
    inputs: "any of D", parameters: "`.weight` [V, E]",
    result:
      "D · E elements, one row after the other: of each element, without its fraction, the row of that index; "
      + "NaN where there is none")
  package static let tensors = ["weight"]

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    let count = try node.size(of: node.arguments[0])
    let weight = node.fullName("weight")
    let size = try node.inferSize(of: weight, pattern: "[rows, size]") {
      $0[0] > 0 ? $0[1] : nil
    }
    try node.use(weight, shape: node.tensors.shape(of: weight) ?? [])
    return node.arguments[0].form.with(size: count * size)
  }
}

extension ModelDescription.Op {
  package static let lookup = Self(LookupOp())
}
