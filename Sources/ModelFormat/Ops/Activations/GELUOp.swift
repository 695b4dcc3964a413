/// The Gaussian error linear unit (Hendrycks and Gimpel, 2016).
package struct GELUOp: OpDefinition {
  package static let name = "gelu"
  package static let documentation = OpDocumentation(
    inputs: "any", parameters: "`approximate`: `\"none\"` (the default) or `\"tanh\"`, as PyTorch",
    result: "`x · Φ(x)`, `Φ(x) = (1 + erf(x / √2)) / 2`; with `\"tanh\"` "
      + "`x · (1 + tanh(√(2 / π) · (x + 0.044715 · x³))) / 2`")
  package static let attributes: [OpAttribute<Self>] = [
    .word("approximate", \.approximate, expected: "\"none\" or \"tanh\"")
  ]

  package enum Approximation: String, Sendable {
    case none, tanh
  }

  /// Nil for the exact function.
  package var approximate: Approximation?

  package init() {}
}

extension ModelDescription.Op {
  package static func gelu(approximate: GELUOp.Approximation? = nil) -> Self {
    var op = GELUOp()
    op.approximate = approximate
    return Self(op)
  }
}
