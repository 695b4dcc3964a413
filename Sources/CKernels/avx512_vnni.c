// AVX-512 with its byte dot products.
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512dq,avx512bw,avx512vnni,avx2,fma,f16c"))), apply_to = function)
#define CK_WIDTH 16
#define CK_INTERLEAVED 1
#define CK_TILE_ROWS 6
#define CK_TILE_SUMS 24
#define CK_DOT_ROWS 6
#define CK_DOT_SUMS 24
#define CK_DOT_VNNI 1
#include "body.h"
#include "variants.h"

const ck_kernels ck_avx512_vnni = CK_TABLE(CK_ISA_AVX512_VNNI, "avx512-vnni");
#pragma clang attribute pop
#endif
