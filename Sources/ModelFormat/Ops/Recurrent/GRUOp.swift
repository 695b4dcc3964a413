/// Layers of gated recurrent units (Cho et al., 2014), in one direction or two. Gates in the order r z n.
package struct GRUOp: RecurrentOp {
  package static let name = "gru"
  package static let documentation = OpDocumentation(
    inputs: "sequence of D, [h₀]",
    parameters:
      "see [recurrent networks](#recurrent-networks); `direction`, `begins`, `masked_output`, `reset`, "
      + "`gate_activation`, `activation`, `clip`",
    result: "sequence of directions · hidden size")
  package static let gates = 3
  package static let hasCell = false
  package static let attributes: [OpAttribute<Self>] = [
    directionAttribute,
    beginsAttribute,
    maskedOutputAttribute,
    .word("reset", \.reset, expected: "\"after\" or \"before\""),
    .activation("gate_activation", \.gateActivation),
    .activation("activation", \.activation),
    clipAttribute(\.clip),
  ]

  /// Where the reset gate is applied: to the product of the candidate's matrix and h, or to h before the product.
  package enum Reset: String, Sendable {
    case after, before
  }

  package var direction: ModelDescription.Direction?
  package var begins: NetworkBeginning?
  package var maskedOutput: MaskedOutput?
  /// Nil means after the product.
  package var reset: Reset?
  /// The activation of the gates r and z; nil is sigmoid.
  package var gateActivation: CellActivation?
  /// The activation of the candidate n; nil is tanh.
  package var activation: CellActivation?
  /// The sums of the gates and the candidate are clipped to ±`clip` before activation; nil: not clipped.
  package var clip: Float?

  package init() {}

  package var activations: [(key: String, value: CellActivation?)] {
    [("gate_activation", gateActivation), ("activation", activation)]
  }
}

extension ModelDescription.Op {
  package static let gru = gru(GRUOp())

  package static func gru(_ op: GRUOp) -> Self { Self(op) }
}
