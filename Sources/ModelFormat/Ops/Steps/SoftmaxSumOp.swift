/// The sum of all steps' values, weighted by the softmax of their scores: attention over time.
package struct SoftmaxSumOp: OpDefinition {
  package static let name = "softmax_sum"
  package static let documentation = OpDocumentation(
    inputs: "scores, a sequence of 1; values, a sequence of N",
    result: "vector of N: `Σₜ aₜ valuesₜ`, `a` the softmax of the scores over the steps")
  package static let inputCount = 2...2
  package static let maskedInput: Int? = 0

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    guard node.arguments[0].form == .sequence(size: 1) else {
      throw node.refusal(
        of: node.arguments[0], expected: "a sequence of size 1 (the scores) first")
    }
    return .vector(size: try node.sequenceSize(of: node.arguments[1]))
  }
}

extension ModelDescription.Op {
  package static let softmaxSum = Self(SoftmaxSumOp())
}
