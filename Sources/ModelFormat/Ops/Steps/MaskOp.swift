/// A mask that is 0 at the steps whose id, or whose every element, is a given value, and 1 at the others.
package struct MaskOp: OpDefinition {
  package static let name = "mask"
  package static let documentation = OpDocumentation(
    inputs: "tokens of an input, or a sequence", parameters: "`value` (0)",
    result:
      "sequence of 1: 0 where the id, or each element, is `value`, else 1. Keras's `mask_zero`, `Masking`; for [masks](#masks)"
  )
  package static let attributes: [OpAttribute<Self>] = [.number("value", \.value)]

  package var value: Float = 0

  package init() {}

  package func resolve(_ node: inout NodeResolution) throws(ModelError) -> Model.ValueForm {
    switch node.arguments[0].form {
    case .tokens, .sequence: return .sequence(size: 1)
    case .vector:
      throw node.refusal(of: node.arguments[0], expected: "tokens of an input or a sequence")
    }
  }
}

extension ModelDescription.Op {
  package static func mask(value: Float = 0) -> Self {
    var op = MaskOp()
    op.value = value
    return Self(op)
  }
}
