import CKernels
import ModelFormat

struct SigmoidForward: RowForward {
  init(_ op: SigmoidOp, _ weights: NodeWeights) {}

  func apply(to rows: inout Matrix, kernels: Kernels) {
    // SAFETY: the routine works in place on the rows × columns floats that it is given.
    unsafe rows.update { values, rows, columns in
      unsafe kernels.routines.sigmoid_f32(values, rows * columns)
    }
  }
}
