import CKernels
import ModelFormat

struct LogSoftmaxForward: RowForward {
  init(_ op: LogSoftmaxOp, _ weights: NodeWeights) {}

  func apply(to rows: inout Matrix, kernels: Kernels) {
    // SAFETY: the routine works in place on the rows × columns floats that it is given.
    unsafe rows.update { values, rows, columns in
      unsafe kernels.routines.log_softmax_f32(values, rows, columns, columns)
    }
  }
}
