/// The logistic function of each element.
package struct SigmoidOp: OpDefinition {
  package static let name = "sigmoid"
  package static let documentation = OpDocumentation(inputs: "any", result: "`1 / (1 + exp(-x))`")

  package init() {}
}

extension ModelDescription.Op {
  package static let sigmoid = Self(SigmoidOp())
}
