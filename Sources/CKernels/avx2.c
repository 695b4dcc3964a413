// Eight floats a register, sixteen registers: 3 rows × 4 gates of sums, 3 inputs, 1 weight.
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define CK_WIDTH 8
#define CK_TILE_ROWS 3
#define CK_DOT_ROWS 2
#define CK_DOT_MADD 1
#include "body.h"
#include "variants.h"

const ck_kernels ck_avx2 = CK_TABLE(CK_ISA_AVX2, "avx2");
#pragma clang attribute pop
#endif
