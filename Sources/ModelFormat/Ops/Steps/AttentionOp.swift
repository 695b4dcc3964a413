/// Attention of each step to all steps: a context a step.
package struct AttentionOp: OpDefinition {
  /// How a query and a key are compared.
  package enum Score: String, Sendable {
    /// Luong et al. (2015), Vaswani et al. (2017).
    case dot
    /// Bahdanau et al. (2015).
    case additive
  }

  package static let name = "attention"
  package static let documentation = OpDocumentation(
    inputs: "queries, keys: sequences of D; [values], a sequence of N, else the keys",
    parameters:
      "`score`: `\"dot\"` (the default) or `\"additive\"`, then [`.weight` [D] or [1, D]]; `scale` (1); `heads` (1): a divisor "
      + "of D and N; `causal` (false): steps up to the query's own alone. At most 2048 steps",
    result:
      "sequence of N: at step t `Σₛ aₜₛ valuesₛ`, `aₜ` the softmax over the steps of `scale · queryₜ · keyₛ`, or of "
      + "`scale · Σ weight · tanh(queryₜ + keyₛ)`; of several heads each by itself over its part of the elements"
  )
  package static let inputCount = 2...3
  package static let tensors = ["weight"]
  package static let attributes: [OpAttribute<Self>] = [
    .word("score", \.score, expected: "\"dot\" or \"additive\""),
    .number("scale", \.scale),
    .integer("heads", \.heads, in: 1...ModelLimits.size),
    .flag("causal", \.isCausal),
  ]

  package var score: Score?
  package var scale: Float = 1
  package var heads = 1
  /// Whether a step attends to none behind it.
  package var isCausal = false

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    let size = try node.sequenceSize(of: node.arguments[0])
    guard node.arguments[1].form == .sequence(size: size) else {
      throw node.refusal(
        of: node.arguments[1], expected: "keys of the queries' size here, a sequence of \(size)")
    }
    let valueSize = try node.sequenceSize(of: node.arguments.last!)
    for size in [size, valueSize] where !size.isMultiple(of: heads) {
      throw .unexpected(
        path: "\(node.path).heads", found: "\(heads)", expected: "a divisor of \(size)")
    }
    let weight = node.fullName("weight")
    if score == .additive {
      // A linear map to one score has a row.
      let isRow = node.tensors.shape(of: weight) == [1, size]
      try node.useIfPresent(weight, shape: isRow ? [1, size] : [size])
    } else if node.node.weights != nil {
      throw .unexpected(
        path: "\(node.path).weights", found: node.prefix.jsonExcerpt,
        expected: "no weights, but for \"score\": \"additive\"")
    }
    for argument in node.arguments { node.bound(argument, 1...ModelLimits.attentionSteps) }
    return .sequence(size: valueSize)
  }
}

extension ModelDescription.Op {
  package static func attention(
    score: AttentionOp.Score? = nil, scale: Float = 1, heads: Int = 1,
    isCausal: Bool = false
  ) -> Self {
    var op = AttentionOp()
    (op.score, op.scale, op.heads, op.isCausal) = (score, scale, heads, isCausal)
    return Self(op)
  }
}
