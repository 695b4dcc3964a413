/// Layers of LSTMs, in one direction or two. Gates in the order i f g o.
package struct LSTMOp: RecurrentOp {
  package static let name = "lstm"
  package static let documentation = OpDocumentation(
    inputs: "sequence of D, [h₀], [c₀]",
    parameters: "see below; `direction`: `\"forward\"` (the default) or `\"reverse\"`, for an lstm "
      + "of one direction",
    result: "sequence of directions · output size")
  package static let gates = 4
  package static let hasCell = true

  package var direction: ModelDescription.Direction?

  package init() {}
}

extension ModelDescription.Op {
  package static let lstm = lstm(direction: nil)

  package static func lstm(direction: ModelDescription.Direction?) -> Self {
    var op = LSTMOp()
    op.direction = direction
    return Self(op)
  }
}
