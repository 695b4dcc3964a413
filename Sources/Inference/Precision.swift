import CKernels
import ModelFormat

extension Precision {
  var code: ck_precision {
    switch self {
    case .f32: CK_F32
    case .f16: CK_F16
    case .int8: CK_I8
    }
  }
}

extension Kernels {
  /// The GEMM routine for weights of `precision`.
  func gemm(_ precision: Precision, _ call: inout ck_gemm) {
    // SAFETY: the caller fills in `call` and vouches for its pointers.
    switch precision {
    case .f32: unsafe routines.gemm_f32(&call)
    case .f16: unsafe routines.gemm_f16(&call)
    case .int8: unsafe routines.gemm_i8(&call)
    }
  }

  /// The step routine for recurrent weights of `precision`.
  func step(_ precision: Precision, _ call: inout ck_step) {
    // SAFETY: the caller fills in `call` and vouches for its pointers.
    switch precision {
    case .f32: unsafe routines.step_f32(&call)
    case .f16: unsafe routines.step_f16(&call)
    case .int8: unsafe routines.step_i8(&call)
    }
  }
}
