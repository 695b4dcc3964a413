/// The exponential linear unit (Clevert, Unterthiner and Hochreiter, 2015).
package struct ELUOp: OpDefinition {
  package static let name = "elu"
  package static let documentation = OpDocumentation(
    inputs: "any", parameters: "`alpha` (1)",
    result: "`x`, below 0 `alpha · (exp(x) - 1)`")
  package static let attributes: [OpAttribute<Self>] = [
    .number("alpha", \.alpha)
  ]

  package var alpha: Float = 1

  package init() {}
}

extension ModelDescription.Op {
  package static func elu(alpha: Float = 1) -> Self {
    var op = ELUOp()
    op.alpha = alpha
    return Self(op)
  }
}
