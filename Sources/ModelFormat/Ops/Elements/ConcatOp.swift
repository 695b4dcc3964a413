import JSON

/// The elements of several values, one after another.
package struct ConcatOp: OpDefinition {
  package static let name = "concat"
  package static let documentation = OpDocumentation(
    inputs: "2 to 100, all sequences or all vectors", result: "the elements one after another")
  package static let inputCount = 2...ModelLimits.nodeInputs

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    let first = node.arguments[0]
    var total = try node.size(of: first)
    for argument in node.arguments.dropFirst() {
      let size = try node.size(of: argument)
      guard argument.form == first.form.with(size: size) else {
        throw node.refusal(
          of: argument,
          expected: "all sequences or all vectors, and \(first.name.jsonExcerpt) is "
            + "\(first.form)")
      }
      total += size
    }
    return first.form.with(size: total)
  }
}

extension ModelDescription.Op {
  package static let concat = Self(ConcatOp())
}
