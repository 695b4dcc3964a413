import CKernels
import ModelFormat

/// Krause, Lu, Murray and Renals, "Multiplicative LSTM for sequence modelling" (2016): an LSTM whose gates read m =
/// W_mx x ⊙ W_mh h in place of h, so that each input can transform the state in its own way.
struct MLSTMForward: RecurrentForward {
  typealias Definition = MLSTMOp

  let network: RecurrentNetwork

  init(_ network: RecurrentNetwork) { self.network = network }

  static func cell(_ op: MLSTMOp, direction: Int) -> RecurrentCell {
    RecurrentCell(
      MLSTMOp.self, kernel: ck_common_cell(CK_PRODUCT), completion: ck_common_cell(CK_LSTM),
      isHiddenBounded: true)
  }
}
