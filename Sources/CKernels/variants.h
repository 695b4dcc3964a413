// The variants' tables. dispatch.c chooses among them.
#ifndef CK_VARIANTS_H
#define CK_VARIANTS_H

#include "CKernels.h"

extern const ck_kernels ck_scalar;
#if defined(__x86_64__)
extern const ck_kernels ck_avx2, ck_avx_vnni, ck_avx512, ck_avx512_vnni;
#elif defined(__aarch64__)
extern const ck_kernels ck_neon, ck_neon_dot;
#endif

#endif
