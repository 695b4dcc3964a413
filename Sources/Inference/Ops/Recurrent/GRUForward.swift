import CKernels
import ModelFormat

/// Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical machine translation" (2014), in
/// both forms of its reset gate. Gates in the order r z n. An h within ±1 stays there, but an initial h may be larger.
struct GRUForward: RecurrentForward {
  typealias Definition = GRUOp

  let network: RecurrentNetwork

  init(_ network: RecurrentNetwork) { self.network = network }

  static func cell(_ op: GRUOp, direction: Int) -> RecurrentCell {
    var kernel = ck_common_cell(CK_GRU)
    kernel.gate = op.gateActivation.kernel(direction, or: kernel.gate)
    kernel.candidate = op.activation.kernel(direction, or: kernel.candidate)
    kernel.clip = op.clip ?? 0
    switch op.reset ?? .after {
    case .after:
      return RecurrentCell(
        GRUOp.self, kernel: kernel, separateBiases: 2..<3, isHiddenBounded: false)
    case .before:
      var completion = kernel
      kernel.kind = CK_GRU_GATES
      completion.kind = CK_GRU_CANDIDATE
      return RecurrentCell(
        GRUOp.self, kernel: kernel, completion: completion, isHiddenBounded: false)
    }
  }
}
