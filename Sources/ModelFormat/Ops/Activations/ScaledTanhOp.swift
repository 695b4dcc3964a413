/// The hyperbolic tangent with its argument and result scaled.
package struct ScaledTanhOp: OpDefinition {
  package static let name = "scaled_tanh"
  package static let documentation = OpDocumentation(
    inputs: "any", parameters: "`alpha` (1), `beta` (1)",
    result: "`alpha · tanh(beta · x)`")
  package static let attributes: [OpAttribute<Self>] = [
    .number("alpha", \.alpha),
    .number("beta", \.beta),
  ]

  package var alpha: Float = 1
  package var beta: Float = 1

  package init() {}
}

extension ModelDescription.Op {
  package static func scaledTanh(alpha: Float = 1, beta: Float = 1) -> Self {
    var op = ScaledTanhOp()
    op.alpha = alpha
    op.beta = beta
    return Self(op)
  }
}
