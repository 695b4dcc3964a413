// NEON with its byte dot products.
#if defined(__aarch64__)
#include <arm_neon.h>
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#define CK_WIDTH 4
#define CK_INTERLEAVED 0
#define CK_TILE_ROWS 6
#define CK_TILE_SUMS 24
#define CK_DOT_ROWS 6
#define CK_DOT_SUMS 24
#define CK_DOT_SDOT 1
#include "body.h"
#include "variants.h"

const ck_kernels ck_neon_dot = CK_TABLE(CK_ISA_NEON_DOT, "neon-dot");
#pragma clang attribute pop
#endif
