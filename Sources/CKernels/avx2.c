// AVX2: eight floats a register, sixteen registers: 6 rows × 2 registers of sums, 2 of weights, 1 of inputs.
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define CK_WIDTH 8
#define CK_INTERLEAVED 0
#define CK_TILE_ROWS 6
#define CK_TILE_SUMS 12
#define CK_DOT_ROWS 5
#define CK_DOT_SUMS 10
#define CK_DOT_WORDS 1
#include "body.h"
#include "variants.h"

const ck_kernels ck_avx2 = CK_TABLE(CK_ISA_AVX2, "avx2");
#pragma clang attribute pop
#endif
