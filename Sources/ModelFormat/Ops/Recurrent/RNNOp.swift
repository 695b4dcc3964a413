/// Layers of plain recurrent cells (Elman, 1990), in one direction or two.
package struct RNNOp: RecurrentOp {
  package static let name = "rnn"
  package static let documentation = OpDocumentation(
    inputs: "sequence of D, [h₀]",
    parameters:
      "see [recurrent networks](#recurrent-networks); `direction`, `begins`, `masked_output`, `activation`, `clip`",
    result: "sequence of directions · hidden size")
  package static let gates = 1
  package static let hasCell = false
  package static let attributes: [OpAttribute<Self>] = [
    directionAttribute,
    beginsAttribute,
    maskedOutputAttribute,
    .activation("activation", \.activation),
    clipAttribute(\.clip),
  ]

  package var direction: ModelDescription.Direction?
  package var begins: NetworkBeginning?
  package var maskedOutput: MaskedOutput?
  /// The activation; nil is tanh.
  package var activation: CellActivation?
  /// The sum is clipped to ±`clip` before activation; nil: not clipped.
  package var clip: Float?

  package init() {}

  package var activations: [(key: String, value: CellActivation?)] { [("activation", activation)] }
}

extension ModelDescription.Op {
  package static let rnn = rnn(RNNOp())

  package static func rnn(_ op: RNNOp) -> Self { Self(op) }
}
