import CKernels
import ModelFormat

/// Krause, Lu, Murray and Renals, "Multiplicative LSTM for sequence modelling" (2016): an LSTM whose gates see, in the place of h,
/// m = W_mx x ⊙ W_mh h, so that each input has a way of its own to look at the state.
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
