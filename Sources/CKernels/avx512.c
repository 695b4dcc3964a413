// AVX-512: sixteen floats a register, thirty-two registers: 6 rows × 4 registers of sums, 6 of inputs, 1 of weights.
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx2,fma,f16c"))), apply_to = function)
#define CK_WIDTH 16
#define CK_INTERLEAVED 1
#define CK_TILE_ROWS 6
#define CK_TILE_SUMS 24
#define CK_DOT_ROWS 4
#define CK_DOT_SUMS 16
#define CK_DOT_MADD 1
#include "body.h"
#include "variants.h"

const ck_kernels ck_avx512 = CK_TABLE(CK_ISA_AVX512, "avx512");
#pragma clang attribute pop
#endif
