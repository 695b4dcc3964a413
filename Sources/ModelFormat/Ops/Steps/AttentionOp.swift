/// Attention of each step, or of a vector, to all steps of a sequence.
package struct AttentionOp: OpDefinition {
  /// How the score of a query and a key is computed.
  package enum Score: String, Sendable {
    /// Luong et al. (2015), Vaswani et al. (2017).
    case dot
    /// Bahdanau et al. (2015).
    case additive
    /// Luong et al. (2015), there called "general".
    case bilinear
  }

  package static let name = "attention"
  package static let documentation = OpDocumentation(
    inputs:
      "queries: any of D; keys, a sequence of D; [values], a sequence of N, else the keys. Keys and values have the same steps, "
      + "queries may have others",
    parameters:
      "`score`: `\"dot\"` (the default), `\"additive\"`, then [`.weight` [D] or [1, D]], or `\"bilinear\"`, then `.weight` "
      + "[D, K], keys of K; `scale` (1); `heads` (1): a divisor of D and N; `causal` (false): steps up to the query's own "
      + "alone. At most 2048 steps",
    result:
      "N elements for each query: `Σₛ aₛ valuesₛ`, `a` the softmax over the steps of `scale · query · keyₛ`, of `scale · Σ "
      + "weight · tanh(query + keyₛ)`, or of `scale · queryᵀ weight keyₛ`; of several heads each by itself over its part of the "
      + "elements"
  )
  package static let inputCount = 2...3
  package static let tensors = ["weight"]
  package static let combinesAxes = true
  package static let maskedInput: Int? = 1
  package static let attributes: [OpAttribute<Self>] = [
    .word("score", \.score, expected: "\"dot\", \"additive\" or \"bilinear\""),
    .number("scale", \.scale),
    .integer("heads", \.heads, in: 1...ModelLimits.size),
    .flag("causal", \.isCausal),
  ]

  package var score: Score?
  package var scale: Float = 1
  package var heads = 1
  /// Whether a step attends only to itself and earlier steps.
  package var isCausal = false

  /// The size of a key, set once it is known.
  package private(set) var keySize: Int?

  package init() {}

  package mutating func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm
  {
    let (queries, keys) = (node.arguments[0], node.arguments[1])
    let size = try node.size(of: queries)
    let keySize = try node.sequenceSize(of: keys)
    self.keySize = keySize
    guard keySize == size || score == .bilinear else {
      throw node.refusal(
        of: keys, expected: "keys of the queries' size here, a sequence of \(size)")
    }
    let valueSize = try node.sequenceSize(of: node.arguments.last!)
    guard keys.axis == node.arguments.last!.axis else {
      throw node.refusal(
        of: node.arguments.last!, expected: "values of as many steps as the keys have here")
    }
    for size in [size, valueSize] where !size.isMultiple(of: heads) {
      throw .unexpected(
        path: "\(node.path).heads", found: "\(heads)", expected: "a divisor of \(size)")
    }
    if isCausal, queries.axis != keys.axis {
      throw .unexpected(
        path: "\(node.path).causal", found: "true",
        expected: "queries of the same steps as the keys for it")
    }
    try useWeight(&node, size: size, keySize: keySize)
    for argument in [queries, keys] { node.bound(argument, 1...ModelLimits.attentionSteps) }
    return queries.form.with(size: valueSize)
  }

  private func useWeight(
    _ node: inout NodeResolution, size: Int, keySize: Int
  ) throws(ModelError) {
    let weight = node.fullName("weight")
    switch score ?? .dot {
    case .additive:
      // The vector may be stored as a matrix with one row, as the weight of a linear map to one score is.
      let isRow = node.tensors.shape(of: weight) == [1, size]
      try node.useIfPresent(weight, shape: isRow ? [1, size] : [size])
    case .bilinear:
      guard heads == 1 else {
        throw .unexpected(
          path: "\(node.path).heads", found: "\(heads)",
          expected: "1 for \"score\": \"bilinear\"")
      }
      try node.use(weight, shape: [size, keySize])
    case .dot:
      guard node.node.weights != nil else { return }
      throw .unexpected(
        path: "\(node.path).weights", found: node.prefix.jsonExcerpt,
        expected: "no weights, but for \"score\": \"additive\" or \"bilinear\"")
    }
  }
}

extension ModelDescription.Op {
  package static func attention(
    score: AttentionOp.Score? = nil, scale: Float = 1, heads: Int = 1, isCausal: Bool = false
  ) -> Self {
    var op = AttentionOp()
    (op.score, op.scale, op.heads, op.isCausal) = (score, scale, heads, isCausal)
    return Self(op)
  }
}
