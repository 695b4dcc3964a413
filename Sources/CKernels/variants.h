// The variants' tables; which of them a CPU may use is dispatch.c's to say.
#ifndef CK_VARIANTS_H
#define CK_VARIANTS_H

#include "CKernels.h"

extern const ck_kernels ck_scalar;
#if defined(__x86_64__)
extern const ck_kernels ck_avx2;
extern const ck_kernels ck_avx512;
#endif

#endif
