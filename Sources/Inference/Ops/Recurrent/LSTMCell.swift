import CKernels
import ModelFormat

/// Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation 9 (1997), with the forget gate of Gers,
/// Schmidhuber and Cummins (2000) and, where there is one, the projection of Sak, Senior and Beaufays (2014). Gates in the
/// order i f g o.
struct LSTMCell: RecurrentCell {
  let addsBiases = true

  init(_ op: LSTMOp = LSTMOp()) {}

  func pack(
    _ part: RecurrentPart, precision: Precision, hiddenSize: Int, depth: Int, matrix: [Float],
    kernels: Kernels
  ) -> PackedWeights {
    PackedWeights(
      precision, gates: Self.gates, units: hiddenSize, depth: depth, matrix: matrix,
      kernels: kernels)
  }

  func step(_ step: RecurrentStep, kernels: Kernels) {
    guard let cell = unsafe step.cell else { preconditionFailure("an LSTM without its cells") }
    // SAFETY: the pass vouches for the pointers.
    var call = unsafe ck_step()
    unsafe call.cell = ck_common_cell(CK_LSTM)
    unsafe call.rows = step.rows
    unsafe call.recurrent_size = step.recurrentSize
    unsafe call.hidden_size = step.units
    unsafe call.projected = step.projected
    unsafe call.projected_stride = step.projectedStride
    unsafe call.hidden = step.hidden
    unsafe call.weights = step.weights
    unsafe call.cell_state = cell
    unsafe call.cell_state_stride = step.cellStride
    unsafe call.output = step.output
    unsafe call.output_stride = step.outputStride
    unsafe call.quantized = step.quantized
    unsafe call.quantized_stride = step.quantizedStride
    unsafe call.backward = step.backward
    unsafe kernels.step(step.precision, &call)
  }
}

/// One layer of an LSTM in one direction.
typealias LSTMLayer = RecurrentLayer<LSTMCell>

struct LSTMForward: RecurrentForward {
  let network: RecurrentNetwork<LSTMCell>

  init(_ network: RecurrentNetwork<LSTMCell>) { self.network = network }
}
