// Eight floats a register, sixteen registers: 2 rows × 4 gates of sums, 4 weights, 1 broadcast.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define CK_WIDTH 8
#define CK_TILE_ROWS 2
#define CK_NAME(x) x##_avx2
#include "body_f32.h"
#include "variants.h"

const ck_kernels ck_avx2 = CK_TABLE(CK_ISA_AVX2, "avx2");
#pragma clang attribute pop
#endif
