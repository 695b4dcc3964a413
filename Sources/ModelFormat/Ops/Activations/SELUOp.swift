/// The scaled exponential linear unit of Klambauer et al., 2017.
package struct SELUOp: OpDefinition {
  package static let name = "selu"
  package static let documentation = OpDocumentation(
    inputs: "any",
    result:
      "`λ · x`, below 0 `λ · α · (exp(x) - 1)`; λ = 1.0507009873554805, α = 1.6732632423543772")

  package init() {}
}

extension ModelDescription.Op {
  package static let selu = Self(SELUOp())
}
