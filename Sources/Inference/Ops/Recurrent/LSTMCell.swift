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
    PackedWeights(precision, gatesOf: hiddenSize, depth: depth, matrix: matrix, kernels: kernels)
  }

  func step(_ step: RecurrentStep, kernels: Kernels) {
    guard let cell = unsafe step.cell else { preconditionFailure("an LSTM without its cells") }
    // SAFETY: the pass vouches for the pointers.
    var call = unsafe ck_lstm_step(
      rows: step.rows, recurrent_size: step.recurrentSize, hidden_size: step.units,
      projected: step.projected, projected_stride: step.projectedStride, hidden: step.hidden,
      weights: step.weights, cell: cell, cell_stride: step.cellStride, output: step.output,
      output_stride: step.outputStride, quantized: step.quantized,
      quantized_stride: step.quantizedStride, backward: step.backward)
    unsafe kernels.lstmStep(step.precision, &call)
  }
}

/// One layer of an LSTM in one direction.
typealias LSTMLayer = RecurrentLayer<LSTMCell>

struct LSTMForward: RecurrentForward {
  let network: RecurrentNetwork<LSTMCell>

  init(_ network: RecurrentNetwork<LSTMCell>) { self.network = network }
}
