/// The row of a table for each id.
package struct EmbeddingOp: OpDefinition {
  package static let name = "embedding"
  package static let documentation = OpDocumentation(
    inputs: "tokens of an input, of size V", parameters: "`.weight` [V, E]",
    result: "sequence of E: the row of each id")
  package static let tensors = ["weight"]

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    guard case .input(let index) = node.arguments[0].value,
      case .tokens(let vocabularySize, _) = node.inputs[index].kind
    else { throw node.refusal(of: node.arguments[0], expected: "tokens") }
    let weight = node.fullName("weight")
    let size = try node.inferSize(of: weight, pattern: "[\(vocabularySize), size]") {
      $0[0] == vocabularySize ? $0[1] : nil
    }
    try node.use(weight, shape: [vocabularySize, size])
    return .sequence(size: size)
  }
}

extension ModelDescription.Op {
  package static let embedding = Self(EmbeddingOp())
}
