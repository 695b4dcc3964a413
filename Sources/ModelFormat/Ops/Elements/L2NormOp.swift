/// Each row divided by its Euclidean norm.
package struct L2NormOp: OpDefinition {
  package static let name = "l2_norm"
  package static let documentation = OpDocumentation(
    inputs: "any", parameters: "`epsilon` (1e-12)",
    result: "`x / max(‖x‖₂, epsilon)`, over the elements, as `torch.nn.functional.normalize`")
  package static let attributes: [OpAttribute<Self>] = [.number("epsilon", \.epsilon, .zeroOrMore)]

  package var epsilon: Float = 1e-12

  package init() {}
}

extension ModelDescription.Op {
  package static func l2Norm(epsilon: Float) -> Self {
    var op = L2NormOp()
    op.epsilon = epsilon
    return Self(op)
  }
}
