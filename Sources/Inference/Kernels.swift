import CKernels
import Glibc

/// The compute routines of one instruction set.
@safe package struct Kernels: Sendable {
  /// The instruction sets, slowest first, by their names in `CAROUSEL_ISA`.
  package enum InstructionSet: String, Sendable, CaseIterable {
    case scalar, avx2
    case avxVNNI = "avx-vnni"
    case avx512
    case avx512VNNI = "avx512-vnni"
    case neon
    case neonDot = "neon-dot"

    var code: ck_isa {
      switch self {
      case .scalar: CK_ISA_SCALAR
      case .avx2: CK_ISA_AVX2
      case .avxVNNI: CK_ISA_AVX_VNNI
      case .avx512: CK_ISA_AVX512
      case .avx512VNNI: CK_ISA_AVX512_VNNI
      case .neon: CK_ISA_NEON
      case .neonDot: CK_ISA_NEON_DOT
      }
    }
  }

  package let instructionSet: InstructionSet
  let routines: ck_kernels

  /// The routines for an instruction set; nil if this CPU lacks it.
  package init?(_ instructionSet: InstructionSet) {
    // SAFETY: the function returns nil or a table that lives as long as the process.
    guard let routines = unsafe ck_kernels_for(instructionSet.code) else { return nil }
    self.instructionSet = instructionSet
    unsafe self.routines = routines.pointee
  }

  /// The floating-point operations of a round of `multiplyAdd`.
  package var multiplyAddOperations: Int { unsafe routines.fma_flops }

  /// Runs `rounds` rounds of multiply-adds, limited only by the multiply-add units. For benchmarks.
  package func multiplyAdd(rounds: Int) {
    _ = unsafe routines.fma_f32(rounds)
  }

  /// The routines of this process: those that `CAROUSEL_ISA` names, or the CPU's fastest. A name that is unknown, or
  /// an instruction set that this CPU lacks, is ignored here; the executable checks `Kernels.requested`.
  package static let shared: Kernels =
    requested.flatMap(InstructionSet.init(rawValue:)).flatMap(Kernels.init)
    ?? InstructionSet.allCases.reversed().lazy.compactMap(Kernels.init).first!

  /// The value of `CAROUSEL_ISA`, valid or not; nil if unset.
  package static var requested: String? {
    // SAFETY: the environment is not changed after start, and the text is copied at once.
    guard let value = unsafe getenv("CAROUSEL_ISA") else { return nil }
    return unsafe String(cString: value)
  }
}
