#include <float.h>
#include <math.h>
#include <string.h>

#include "CKernels.h"

static size_t rounded_up(size_t count, size_t multiple) {
  return (count + multiple - 1) / multiple * multiple;
}

/// The number of panels in a whole block.
static size_t block_panels(size_t gates) { return gates == 1 ? 4 : gates; }

size_t ck_block_units(size_t gates) { return block_panels(gates) / gates * CK_LANES; }

size_t ck_packed_columns(size_t gates, size_t units) { return gates * rounded_up(units, CK_LANES); }

size_t ck_packed_bytes(ck_precision precision, size_t packed_columns, size_t depth) {
  switch (precision) {
    case CK_F32: return packed_columns * depth * sizeof(float);
    case CK_F16: return packed_columns * depth * sizeof(uint16_t);
    case CK_I8: return packed_columns * rounded_up(depth, CK_I8_STEP);
  }
  return 0;
}

/// The half-precision bits of `value`, rounded to nearest even; infinite beyond the range.
static uint16_t half_of(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const uint32_t sign = bits >> 16 & 0x8000;
  bits &= 0x7fffffff;
  if (bits >= 0x47800000) {  // 2¹⁶ and more, infinities, NaN
    return (uint16_t)(sign | (bits > 0x7f800000 ? 0x7e00 : 0x7c00));
  }
  if (bits < 0x38800000) {  // below 2⁻¹⁴: multiples of 2⁻²⁴; adding a half leaves them in the low bits
    float magnitude;
    memcpy(&magnitude, &bits, sizeof magnitude);
    magnitude += 0.5f;
    memcpy(&bits, &magnitude, sizeof bits);
    return (uint16_t)(sign | (bits - 0x3f000000));
  }
  bits += 0xfff + (bits >> 13 & 1);
  return (uint16_t)(sign | (bits - 0x38000000) >> 13);
}


/// Where the weights of packed column `column` go. The group of `width` columns that lie side by side begins at column
/// `start`: its weights begin at element depth · `start`, and a column's next weight is `width` elements further
/// (int8: its next `step` weights, `step` · `width` bytes further).
typedef struct {
  size_t column, start, width;
} place;

/// - Parameter beside: the number of columns that lie side by side.
static place place_of(size_t column, size_t beside, size_t packed_columns) {
  const size_t start = column / beside * beside;
  return (place){column, start, packed_columns - start < beside ? packed_columns - start : beside};
}

static void pack_row(
    ck_precision precision, size_t step, const float *row, size_t depth, place at, void *panels,
    float *scales, int32_t *offsets) {
  const size_t lane = at.column - at.start;
  switch (precision) {
    case CK_F32: {
      float *to = (float *)panels + at.start * depth + lane;
      for (size_t k = 0; k < depth; k++) to[k * at.width] = row[k];
      break;
    }
    case CK_F16: {
      uint16_t *to = (uint16_t *)panels + at.start * depth + lane;
      for (size_t k = 0; k < depth; k++) to[k * at.width] = half_of(row[k]);
      break;
    }
    case CK_I8: {
      int8_t *to = (int8_t *)panels + at.start * rounded_up(depth, CK_I8_STEP) + lane * step;
      float largest = 0;
      for (size_t k = 0; k < depth; k++) largest = fmaxf(largest, fabsf(row[k]));
      // A subnormal scale is too coarse: a quotient by it may exceed an int8. Such a row counts as zero.
      const float scale = largest / CK_I8_MAX < FLT_MIN ? 0 : largest / CK_I8_MAX;
      int32_t sum = 0;
      for (size_t k = 0; k < depth; k++) {
        const int8_t weight = scale > 0 ? (int8_t)lrintf(row[k] / scale) : 0;
        to[k / step * at.width * step + k % step] = weight;
        sum += weight;
      }
      scales[at.column] = scale;
      // Inputs are stored with 128 added.
      offsets[at.column] = -128 * sum;
      break;
    }
  }
}

static void clear(
    ck_precision precision, size_t packed_columns, size_t depth, void *panels, float *scales,
    int32_t *offsets) {
  memset(panels, 0, ck_packed_bytes(precision, packed_columns, depth));
  if (scales) memset(scales, 0, packed_columns * sizeof *scales);
  if (offsets) memset(offsets, 0, packed_columns * sizeof *offsets);
}

void ck_pack(
    const ck_kernels *kernels, ck_precision precision, size_t gates, const float *matrix,
    size_t units, size_t depth, void *panels, float *scales, int32_t *offsets) {
  const size_t packed = ck_packed_columns(gates, units);
  const size_t beside = (kernels->panels_interleaved ? block_panels(gates) : 1) * CK_LANES;
  clear(precision, packed, depth, panels, scales, offsets);
  for (size_t gate = 0; gate < gates; gate++) {
    for (size_t unit = 0; unit < units; unit++) {
      const size_t panel = unit / CK_LANES * gates + gate;
      const place at = place_of(panel * CK_LANES + unit % CK_LANES, beside, packed);
      const float *row = matrix + (gate * units + unit) * depth;
      pack_row(precision, kernels->i8_step, row, depth, at, panels, scales, offsets);
    }
  }
}
