import CKernels
import ModelFormat

/// Elman, "Finding structure in time", Cognitive Science 14 (1990).
struct RNNForward: RecurrentForward {
  typealias Definition = RNNOp

  let network: RecurrentNetwork

  init(_ network: RecurrentNetwork) { self.network = network }

  static func cell(_ op: RNNOp, direction: Int) -> RecurrentCell {
    var kernel = ck_common_cell(CK_RNN)
    kernel.candidate = op.activation.kernel(direction, or: kernel.candidate)
    kernel.clip = op.clip ?? 0
    return RecurrentCell(RNNOp.self, kernel: kernel, isHiddenBounded: kernel.candidate.isBounded)
  }
}
