/// Layers of multiplicative LSTMs (Krause et al., 2016), in one direction or two. Gates in the order i f g o.
package struct MLSTMOp: RecurrentOp {
  package static let name = "mlstm"
  package static let documentation = OpDocumentation(
    inputs: "sequence of D, [h₀], [c₀]",
    parameters:
      "see [recurrent networks](#recurrent-networks); `direction`, `begins`, `masked_output`",
    result: "sequence of directions · hidden size")
  package static let gates = 4
  package static let hasCell = true
  package static let kinds =
    [
      "weight_ih", "weight_hh", "weight_mx", "weight_mh", "bias_ih", "bias_hh", "bias",
      "initial_hidden", "initial_cell",
    ]
  package static let attributes: [OpAttribute<Self>] = [
    directionAttribute, beginsAttribute, maskedOutputAttribute,
  ]

  package var direction: ModelDescription.Direction?
  package var begins: NetworkBeginning?
  package var maskedOutput: MaskedOutput?

  package init() {}

  package var activations: [(key: String, value: CellActivation?)] { [] }
}

extension ModelDescription.Op {
  package static let mlstm = mlstm(MLSTMOp())

  package static func mlstm(_ op: MLSTMOp) -> Self { Self(op) }
}
