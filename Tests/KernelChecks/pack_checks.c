// The packing routines: what lies where, and how weights are rounded.
#include <float.h>
#include <math.h>
#include <string.h>

#include "checks.h"
#include "reference.h"

/// An element of the panels as a float.
static float element(const kc_weights *w, size_t index) {
  switch (w->precision) {
    case CK_F32: return ((const float *)w->packed.panels)[index];
    case CK_F16: return (float)((const _Float16 *)w->packed.panels)[index];
    case CK_I8: return ((const int8_t *)w->packed.panels)[index];
  }
  return NAN;
}

/// Whether every packed column holds its output's weights, and zeros where there is none.
static bool is_packed(kc_run *run, const kc_weights *w) {
  const bool integers = w->precision == CK_I8;
  const size_t depth = integers ? kc_rounded_up(w->depth, CK_I8_STEP) : w->depth;
  for (size_t column = 0; column < w->columns; column++) {
    const size_t output = kc_output_of(w, column);
    const bool exists = output != SIZE_MAX;
    float sum = 0;
    for (size_t k = 0; k < depth; k++) {
      const float expected = exists && k < w->depth ? kc_row(w->stored, output)[k] : 0;
      const float found = element(w, kc_panel_index(w, column, k));
      if (!kc_equal(run, "weight", column, k, found, expected)) return false;
      sum += expected;
    }
    if (!integers) continue;
    const float scale = exists ? w->scales[output] : 0;
    if (!kc_equal(run, "scale", 0, column, w->packed.scales[column], scale)) return false;
    const float offset = 0 - 128 * sum;
    const float found = (float)w->packed.offsets[column];
    if (found != offset) return kc_fail(run, "offset %g, expected %g", (double)found, (double)offset);
  }
  return true;
}

bool kc_packing(kc_run *run, int kind) {
  static const size_t sizes[] = {1, 15, 16, 17, 63, 64, 65, 130}, depths[] = {0, 1, 3, 4, 7, 67};
  const size_t element_sizes[] = {[CK_F32] = 4, [CK_F16] = 2, [CK_I8] = 1};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes * 4; i++) {
    const size_t gates = i % 4 + 1, units = sizes[i / 4];
    const size_t block = gates * ck_block_units(gates);
    if (block != (gates == 1 ? 4 : gates) * CK_LANES) return kc_fail(run, "a block of %zu", block);
    for (size_t d = 0; d < sizeof depths / sizeof *depths; d++) {
      for (kc_filling filling = KC_ORDINARY; filling <= KC_EXTREME; filling++) {
        kc_trying(run, "%zu units of %zu gates, depth %zu", units, gates, depths[d]);
        const kc_weights w =
            kc_make_weights(run, (ck_precision)kind, gates, units, depths[d], filling);
        const size_t depth = kc_rounded_up(depths[d], kind == CK_I8 ? CK_I8_STEP : 1);
        const size_t bytes = ck_packed_bytes(w.precision, w.columns, w.depth);
        if (bytes != w.columns * depth * element_sizes[kind]) {
          return kc_fail(run, "%zu bytes for %zu columns", bytes, w.columns);
        }
        if (w.columns != gates * kc_rounded_up(units, CK_LANES)) {
          return kc_fail(run, "%zu packed columns", w.columns);
        }
        if (!is_packed(run, &w)) return false;
        kc_release(run, 0);
      }
    }
  }
  return true;
}

/// Every number that is halfway between two halves or beside one: what rounding can get wrong.
#define ROUNDED_PER_HALF 6

static void near_half(uint16_t bits, float numbers[ROUNDED_PER_HALF]) {
  _Float16 half, next;
  const uint16_t next_bits = bits + 1;
  memcpy(&half, &bits, sizeof half);
  memcpy(&next, &next_bits, sizeof next);
  const float low = (float)half, high = isinf((float)next) ? copysignf(0x1p16f, low) : (float)next;
  const float middle = (low + high) / 2;  // exact
  const float all[ROUNDED_PER_HALF] = {
    low, nextafterf(low, high), nextafterf(middle, low), middle, nextafterf(middle, high),
    nextafterf(high, low),
  };
  memcpy(numbers, all, sizeof all);
}

/// Rounds `numbers` by packing them as the one weight of as many outputs.
static bool rounds(kc_run *run, kc_matrix numbers) {
  const size_t columns = ck_packed_columns(1, numbers.columns);
  const kc_matrix halves = kc_elements(run, sizeof(uint16_t), 1, columns, 0);
  ck_pack(
      run->kernels, CK_F16, 1, kc_row(numbers, 0), numbers.columns, 1, halves.values, NULL, NULL);
  for (size_t i = 0; i < numbers.columns; i++) {
    const float number = kc_row(numbers, 0)[i];
    const float found = (float)((const _Float16 *)(const void *)halves.values)[i];
    if (!kc_equal(run, "half", 0, i, found, kc_half(number))) {
      return kc_fail(run, "%.9g rounds to half as %.9g", (double)number, (double)found);
    }
  }
  return true;
}

bool kc_half_rounding(kc_run *run, int kind) {
  (void)kind;
  const size_t finite = 0x7c00;
  const kc_matrix numbers = kc_floats(run, 1, 2 * finite * ROUNDED_PER_HALF, 0);
  float *next = kc_row(numbers, 0);
  for (size_t half = 0; half < finite; half++) {
    near_half((uint16_t)half, next);
    near_half((uint16_t)(half | 0x8000), next + ROUNDED_PER_HALF);
    next += 2 * ROUNDED_PER_HALF;
  }
  const kc_matrix specials = kc_floats(run, 1, KC_SPECIAL_COUNT, 0);
  memcpy(specials.values, kc_specials, sizeof kc_specials);
  return rounds(run, numbers) && rounds(run, specials);
}

bool kc_half_widening(kc_run *run, int kind) {
  (void)kind;
  // All halves as the weights of one input, which is 1: their products are themselves. Adding them
  // to −0 changes none.
  const size_t count = 1 << 16;
  const kc_matrix halves = kc_elements(run, sizeof(uint16_t), 1, count, 0);
  const kc_matrix bias = kc_floats(run, 1, count, 0), output = kc_floats(run, 1, count, 0);
  for (size_t i = 0; i < count; i++) {
    const uint16_t half = (uint16_t)i;
    memcpy(halves.values + i * sizeof half, &half, sizeof half);
    kc_row(bias, 0)[i] = -0.0f;
  }
  const float one = 1;
  const ck_gemm call = {
    .rows = 1, .depth = 1, .columns = count, .input = {&one, 1, NULL},
    .weights = {.panels = halves.values, .gates = 1}, .bias = kc_row(bias, 0), .output = kc_row(output, 0),
    .output_stride = count,
  };
  run->kernels->gemm_f16(&call);
  for (size_t i = 0; i < count; i++) {
    const float expected = (float)((const _Float16 *)(const void *)halves.values)[i];
    if (!kc_equal(run, "half", 0, i, kc_row(output, 0)[i], expected)) return false;
  }
  return true;
}
