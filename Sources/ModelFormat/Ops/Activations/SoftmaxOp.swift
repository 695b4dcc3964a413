/// The elements of a row as probabilities that add up to 1.
package struct SoftmaxOp: OpDefinition {
  package static let name = "softmax"
  package static let documentation = OpDocumentation(
    inputs: "any", result: "`exp(x) / Σ exp(x)`, over the elements")

  package init() {}
}

extension ModelDescription.Op {
  package static let softmax = Self(SoftmaxOp())
}
