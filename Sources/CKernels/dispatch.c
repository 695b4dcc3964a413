#include "CKernels.h"
#include "variants.h"

#if defined(__aarch64__)
#include <sys/auxv.h>
#ifndef HWCAP_ASIMDDP
#define HWCAP_ASIMDDP (1 << 20)
#endif
#endif

#if defined(__x86_64__)
// __builtin_cpu_supports also checks that the operating system saves the wide registers.
static bool has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("f16c");
}

static bool has_avx512(void) {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}
#endif

const ck_kernels *ck_kernels_for(ck_isa isa) {
  switch (isa) {
    case CK_ISA_SCALAR: return &ck_scalar;
#if defined(__x86_64__)
    case CK_ISA_AVX2: return has_avx2() ? &ck_avx2 : NULL;
    case CK_ISA_AVX_VNNI:
      return has_avx2() && __builtin_cpu_supports("avxvnni") ? &ck_avx_vnni : NULL;
    case CK_ISA_AVX512: return has_avx512() ? &ck_avx512 : NULL;
    case CK_ISA_AVX512_VNNI:
      return has_avx512() && __builtin_cpu_supports("avx512vnni") ? &ck_avx512_vnni : NULL;
#elif defined(__aarch64__)
    case CK_ISA_NEON: return &ck_neon;
    case CK_ISA_NEON_DOT: return getauxval(AT_HWCAP) & HWCAP_ASIMDDP ? &ck_neon_dot : NULL;
#endif
    default: return NULL;
  }
}

const ck_kernels *ck_kernels_best(void) {
  for (int isa = CK_ISA_COUNT - 1; isa > CK_ISA_SCALAR; isa--) {
    const ck_kernels *kernels = ck_kernels_for((ck_isa)isa);
    if (kernels) return kernels;
  }
  return &ck_scalar;
}
