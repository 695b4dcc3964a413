/// Layers of LSTMs, in one direction or two. Gates in the order i f g o.
package struct LSTMOp: RecurrentOp {
  package static let name = "lstm"
  package static let documentation = OpDocumentation(
    inputs: "sequence of D, [h₀], [c₀]",
    parameters:
      "see [recurrent networks](#recurrent-networks); `direction`, `begins`, `masked_output`, `gate_activation`, "
      + "`activation`, `output_activation`, `clip`, `input_forget`",
    result: "sequence of directions · output size")
  package static let gates = 4
  package static let hasCell = true
  package static let kinds =
    [
      "weight_ih", "weight_hh", "bias_ih", "bias_hh", "bias", "weight_hr", "peephole",
      "initial_hidden", "initial_cell",
    ]
  package static let attributes: [OpAttribute<Self>] = [
    directionAttribute,
    beginsAttribute,
    maskedOutputAttribute,
    .activation("gate_activation", \.gateActivation),
    .activation("activation", \.activation),
    .activation("output_activation", \.outputActivation),
    clipAttribute(\.clip),
    .flag("input_forget", \.couplesForgetGate),
  ]

  package var direction: ModelDescription.Direction?
  package var begins: NetworkBeginning?
  package var maskedOutput: MaskedOutput?
  /// The activation of the gates i, f and o; nil is sigmoid.
  package var gateActivation: CellActivation?
  /// The activation of the candidate g; nil is tanh.
  package var activation: CellActivation?
  /// The activation that is applied to c where h is computed; nil is the candidate's.
  package var outputActivation: CellActivation?
  /// The sums of the gates and the candidate are clipped to ±`clip` before activation; nil: not clipped.
  package var clip: Float?
  /// Whether the forget gate is 1 − i.
  package var couplesForgetGate = false

  package init() {}

  package var activations: [(key: String, value: CellActivation?)] {
    [
      ("gate_activation", gateActivation), ("activation", activation),
      ("output_activation", outputActivation),
    ]
  }
}

extension ModelDescription.Op {
  package static let lstm = lstm(LSTMOp())

  package static func lstm(_ op: LSTMOp) -> Self { Self(op) }

  package static func lstm(direction: ModelDescription.Direction?) -> Self {
    var op = LSTMOp()
    op.direction = direction
    return Self(op)
  }
}
