// AVX2 with its byte dot products.
#if defined(__x86_64__)
#include <immintrin.h>
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c,avxvnni"))), apply_to = function)
#define CK_WIDTH 8
#define CK_INTERLEAVED 0
#define CK_TILE_ROWS 6
#define CK_TILE_SUMS 12
#define CK_DOT_ROWS 6
#define CK_DOT_SUMS 12
#define CK_DOT_VNNI 1
#include "body.h"
#include "variants.h"

const ck_kernels ck_avx_vnni = CK_TABLE(CK_ISA_AVX_VNNI, "avx-vnni");
#pragma clang attribute pop
#endif
