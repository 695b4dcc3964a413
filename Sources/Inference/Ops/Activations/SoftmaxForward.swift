import CKernels
import ModelFormat

struct SoftmaxForward: RowForward {
  init(_ op: SoftmaxOp, _ weights: NodeWeights) {}

  func apply(to rows: inout Matrix, kernels: Kernels) {
    // SAFETY: the routine works in place on the rows × columns floats that it is given.
    unsafe rows.update { values, rows, columns in
      unsafe kernels.routines.softmax_f32(values, rows, columns, columns)
    }
  }
}
