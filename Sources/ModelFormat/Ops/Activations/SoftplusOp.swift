/// A smooth approximation of `relu`.
package struct SoftplusOp: OpDefinition {
  package static let name = "softplus"
  package static let documentation = OpDocumentation(
    inputs: "any", parameters: "`beta` (1), above 0; `threshold` (20)",
    result: "`log(1 + exp(beta · x)) / beta`; where `beta · x > threshold`, `x`")
  package static let attributes: [OpAttribute<Self>] = [
    .number("beta", \.beta, .positive),
    .number("threshold", \.threshold),
  ]

  package var beta: Float = 1
  package var threshold: Float = 20

  package init() {}
}

extension ModelDescription.Op {
  package static func softplus(beta: Float = 1, threshold: Float = 20) -> Self {
    var op = SoftplusOp()
    op.beta = beta
    op.threshold = threshold
    return Self(op)
  }
}
