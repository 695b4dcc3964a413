// One float at a time, `fmaf` for every multiply-add: the reference for all other variants.
#define CK_WIDTH 1
#define CK_INTERLEAVED 0
#define CK_TILE_ROWS 2
#define CK_TILE_SUMS 64
#define CK_DOT_ROWS 2
#define CK_DOT_SUMS 64
#include "body.h"
#include "variants.h"

const ck_kernels ck_scalar = CK_TABLE(CK_ISA_SCALAR, "scalar");
