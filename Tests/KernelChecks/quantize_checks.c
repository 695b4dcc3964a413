// `quantize` against its definition.
#include <float.h>
#include <math.h>

#include "checks.h"
#include "reference.h"

/// Magnitudes of rows: ordinary, large, around the least, subnormal, and what is none.
static const float magnitudes[] = {
  1, 127, 3e38f, 0x1p-118f, KC_I8_LEAST, 0x1.fffffep-120f, FLT_MIN, FLT_TRUE_MIN, 0, INFINITY, NAN,
};
#define ROWS (sizeof magnitudes / sizeof *magnitudes)

static void expect(const float *values, size_t count, float least, uint8_t *bytes, float *scale) {
  float largest = least;
  bool finite = true;
  for (size_t i = 0; i < count; i++) {
    finite = finite && isfinite(values[i]);
    // A NaN prevails over an infinity.
    if (isnan(values[i]) || fabsf(values[i]) > largest) largest = fabsf(values[i]);
  }
  const bool some = finite && largest >= KC_I8_LEAST;
  *scale = finite && !some ? 0 : largest / CK_I8_MAX;
  for (size_t i = 0; i < count; i++) {
    bytes[i] = (uint8_t)(128 + (some ? kc_quantized(values[i], CK_I8_MAX / largest) : 0));
  }
}

static bool agrees(kc_run *run, size_t columns, float least) {
  kc_trying(run, "%zu columns, least %g", columns, (double)least);
  const kc_matrix values = kc_floats(run, ROWS, columns, 3);
  for (size_t row = 0; row < ROWS; row++) {
    const float magnitude = magnitudes[row];
    for (size_t i = 0; i < columns; i++) {
      // Halves of a 127th part of what is largest: ties, now and then.
      const float half_steps = (float)(kc_random(run) % 255) - 127;
      kc_row(values, row)[i] =
          isfinite(magnitude) ? half_steps / 254 * magnitude : kc_random_float(run, 1);
    }
    if (columns > 0) kc_row(values, row)[kc_random(run) % columns] = magnitude;
  }
  const kc_matrix bytes = kc_elements(run, 1, ROWS, columns, 5);
  const kc_matrix scales = kc_floats(run, ROWS, 1, 0);
  const kc_matrix expected_bytes = kc_elements(run, 1, ROWS, columns, 0);
  const kc_matrix expected_scales = kc_floats(run, ROWS, 1, 0);
  for (size_t row = 0; row < ROWS; row++) {
    expect(
        kc_row(values, row), columns, least, kc_byte_row(expected_bytes, row),
        kc_row(expected_scales, row));
  }
  run->kernels->quantize(
      kc_row(values, 0), ROWS, columns, values.stride, least, bytes.values, bytes.stride,
      kc_row(scales, 0));
  return kc_same(run, "scale", scales, expected_scales) &&
         kc_same(run, "byte", bytes, expected_bytes);
}

bool kc_quantize(kc_run *run, int kind) {
  (void)kind;
  static const size_t columns[] = {0, 1, 5, 15, 16, 17, 33, 100};
  static const float leasts[] = {0, 1, 0x1p-130f};
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
    for (size_t l = 0; l < sizeof leasts / sizeof *leasts; l++) {
      if (!agrees(run, columns[i], leasts[l])) return false;
      kc_release(run, 0);
    }
  }
  return true;
}
