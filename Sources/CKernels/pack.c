#include <string.h>

#include "CKernels.h"

static size_t rounded_up(size_t count, size_t multiple) {
  return (count + multiple - 1) / multiple * multiple;
}

size_t ck_packed_columns(size_t columns) { return rounded_up(columns, CK_LANES); }

size_t ck_packed_gate_columns(size_t hidden_size) {
  return CK_BLOCK_PANELS * rounded_up(hidden_size, CK_LANES);
}

/// Writes one row of weights down a lane of a block that starts at `lane` and is `width` floats a step.
static void pack_row(const float *row, size_t depth, float *lane, size_t width) {
  for (size_t k = 0; k < depth; k++) lane[k * width] = row[k];
}

void ck_pack_columns(const float *matrix, size_t columns, size_t depth, float *packed) {
  const size_t padded = ck_packed_columns(columns), block = CK_BLOCK_PANELS * CK_LANES;
  memset(packed, 0, padded * depth * sizeof *packed);
  for (size_t column = 0; column < columns; column++) {
    const size_t start = column / block * block;
    const size_t width = padded - start < block ? padded - start : block;
    pack_row(matrix + column * depth, depth, packed + start * depth + (column - start), width);
  }
}

void ck_pack_gates(const float *matrix, size_t hidden_size, size_t depth, float *packed) {
  const size_t block = CK_BLOCK_PANELS * CK_LANES;
  memset(packed, 0, ck_packed_gate_columns(hidden_size) * depth * sizeof *packed);
  for (size_t gate = 0; gate < CK_BLOCK_PANELS; gate++) {
    for (size_t unit = 0; unit < hidden_size; unit++) {
      float *lane = packed + unit / CK_LANES * block * depth + gate * CK_LANES + unit % CK_LANES;
      pack_row(matrix + (gate * hidden_size + unit) * depth, depth, lane, block);
    }
  }
}
