#include "CKernels.h"
#include "variants.h"

const ck_kernels *ck_kernels_for(ck_isa isa) {
  switch (isa) {
    case CK_ISA_SCALAR: return &ck_scalar;
#if defined(__x86_64__)
    // __builtin_cpu_supports also asks whether the system saves the wide registers.
    case CK_ISA_AVX2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &ck_avx2 : NULL;
    case CK_ISA_AVX512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                     __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw")
                 ? &ck_avx512
                 : NULL;
#endif
    default: return NULL;
  }
}

const ck_kernels *ck_kernels_best(void) {
  for (int isa = CK_ISA_AVX512; isa > CK_ISA_SCALAR; isa--) {
    const ck_kernels *kernels = ck_kernels_for((ck_isa)isa);
    if (kernels) return kernels;
  }
  return &ck_scalar;
}
