import CKernels
import ModelFormat

/// Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 9 (1997), with the forget gate of Gers,
/// Schmidhuber and Cummins (2000) and, optionally, the peepholes of Gers, Schraudolph and Schmidhuber (2002) and
/// the projection of Sak, Senior and Beaufays (2014). Gates in the order i f g o.
struct LSTMForward: RecurrentForward {
  typealias Definition = LSTMOp

  let network: RecurrentNetwork

  init(_ network: RecurrentNetwork) { self.network = network }

  static func cell(_ op: LSTMOp, direction: Int) -> RecurrentCell {
    var kernel = ck_common_cell(CK_LSTM)
    kernel.gate = op.gateActivation.kernel(direction, or: kernel.gate)
    kernel.candidate = op.activation.kernel(direction, or: kernel.candidate)
    kernel.output = (op.outputActivation ?? op.activation).kernel(direction, or: kernel.output)
    kernel.clip = op.clip ?? 0
    kernel.input_forget = op.couplesForgetGate
    return RecurrentCell(
      LSTMOp.self, kernel: kernel,
      isHiddenBounded: kernel.gate.isBounded && kernel.output.isBounded)
  }
}
