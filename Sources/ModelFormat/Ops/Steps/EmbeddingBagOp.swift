import JSON

/// The rows of a table for the ids of a sequence, reduced to one vector.
package struct EmbeddingBagOp: OpDefinition {
  package enum Mode: String, Sendable {
    case sum, mean, max
  }

  /// Nil for the mean, as in PyTorch.
  package var mode: Mode?
  /// The id of padding; its steps are ignored.
  package var padding: Int?

  package static let name = "embedding_bag"
  package static let documentation = OpDocumentation(
    inputs: "tokens of an input, of size V; [weights, a sequence of 1]",
    parameters: "`.weight` [V, E]; `mode`: `\"mean\"` (the default), `\"sum\"` or `\"max\"`; "
      + "`padding`: an id that counts for nothing; weights with a sum only",
    result: "vector of E: the rows of the ids, reduced over the steps, as `torch.nn.EmbeddingBag`; "
      + "of padding alone, 0")
  package static let inputCount = 1...2
  package static let tensors = ["weight"]
  package static let attributes: [OpAttribute<Self>] = [
    .word("mode", \.mode, expected: "\"mean\", \"sum\" or \"max\""),
    .optionalInteger("padding", \.padding, in: 0...ModelLimits.size),
  ]

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    let form = try EmbeddingOp().resolve(&node)
    guard let size = form.size, let rows = node.tensors.shape(of: node.fullName("weight"))?.first
    else { preconditionFailure("an embedding without a size") }
    if let padding, padding >= rows {
      throw .unexpected(
        path: "\(node.path).padding", found: "\(padding)", expected: "an id from 0 to \(rows - 1)")
    }
    if let weights = node.arguments.dropFirst().first {
      guard mode == .sum else {
        throw .unexpected(
          path: "\(node.path).mode", found: (mode ?? .mean).rawValue.jsonText,
          expected: "\"sum\", as there are weights")
      }
      guard case .sequence(size: 1) = weights.form else {
        throw node.refusal(of: weights, expected: "a sequence of size 1")
      }
    }
    return .vector(size: size)
  }
}

extension ModelDescription.Op {
  package static func embeddingBag(
    mode: EmbeddingBagOp.Mode? = nil, padding: Int? = nil
  ) -> Self {
    var op = EmbeddingBagOp()
    op.mode = mode
    op.padding = padding
    return Self(op)
  }
}
