// NEON: four floats a register, thirty-two registers: 6 rows × 4 registers of sums, 4 of weights, 1 of inputs.
#if defined(__aarch64__)
#include <arm_neon.h>
#define CK_WIDTH 4
#define CK_INTERLEAVED 0
#define CK_TILE_ROWS 6
#define CK_TILE_SUMS 24
#define CK_DOT_ROWS 6
#define CK_DOT_SUMS 24
#define CK_DOT_NEON 1
#include "body.h"
#include "variants.h"

const ck_kernels ck_neon = CK_TABLE(CK_ISA_NEON, "neon");
#endif
