// The activations, softmax, scores of attention and of labels against the scalar variant, one number or one row at a time.
#include <float.h>
#include <math.h>
#include <string.h>

#include "checks.h"
#include "routines.h"

/// One call over all `values` against one call of the scalar variant for each.
static bool agrees(kc_run *run, kc_activation activation, kc_matrix values) {
  const kc_matrix found = kc_copy(run, values, 0), expected = kc_copy(run, values, 0);
  kc_activate(run->kernels, activation, kc_row(found, 0), found.columns);
  for (size_t i = 0; i < values.columns; i++) {
    kc_activate(run->scalar, activation, kc_row(expected, 0) + i, 1);
  }
  return kc_same(run, "result", found, expected);
}

bool kc_elementwise(kc_run *run, int kind) {
  static const size_t counts[] = {0, 1, 7, 16, 33, 100};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    kc_trying(run, "%zu numbers", counts[i]);
    const kc_matrix values = kc_floats(run, 1, counts[i], 0);
    kc_fill(run, values, 40, KC_ORDINARY);
    if (!agrees(run, (kc_activation)kind, values)) return false;
    kc_sprinkle(values);
    if (!agrees(run, (kc_activation)kind, values)) return false;
    kc_release(run, 0);
  }
  // Floats by their bits: some of all, and more from where the activations are not flat.
  static const struct {
    uint32_t first, last, stride;
  } samples[] = {
    {0, UINT32_MAX, 40961}, {0x39800000, 0x43000000, 503}, {0xb9800000, 0xc3000000, 503}};
  for (size_t s = 0; s < sizeof samples / sizeof *samples; s++) {
    const uint32_t stride = samples[s].stride;
    const size_t count = (samples[s].last - samples[s].first) / stride;
    const kc_matrix values = kc_floats(run, 1, count, 0);
    for (size_t i = 0; i < count; i++) {
      const uint32_t bits = samples[s].first + (uint32_t)i * stride;
      memcpy(kc_row(values, 0) + i, &bits, sizeof bits);
    }
    kc_trying(run, "%zu floats", count);
    if (!agrees(run, (kc_activation)kind, values)) return false;
    kc_release(run, 0);
  }
  return true;
}

bool kc_activations(kc_run *run, int kind) {
  (void)kind;
  for (int listed = 0; listed < CK_ACTIVATION_COUNT; listed++) {
    if (!kc_elementwise(run, KC_LISTED + listed)) return false;
  }
  return true;
}

bool kc_relu(kc_run *run, int kind) {
  (void)kind;
  for (size_t i = 0; i < KC_SPECIAL_COUNT; i++) {
    const float x = kc_specials[i];
    float found = x;
    run->kernels->relu_f32(&found, 1);
    if (!kc_equal(run, "relu of special", 0, i, found, x < 0 ? 0 : x)) return false;
  }
  return true;
}

bool kc_softmax(kc_run *run, int kind) {
  static const size_t columns[] = {0, 1, 7, 16, 33, 100};
  for (size_t i = 0; i < sizeof columns / sizeof *columns * 2; i++) {
    const bool logarithm = kind, special = i % 2;
    const size_t rows = i % 5 * 4;
    kc_trying(
        run, "%zu rows, %zu columns%s", rows, columns[i / 2], special ? ", special numbers" : "");
    const kc_matrix values = kc_floats(run, rows, columns[i / 2], 0);
    kc_fill(run, values, 20, special ? KC_SPECIAL : KC_ORDINARY);
    const kc_matrix found = kc_copy(run, values, 5), expected = kc_copy(run, values, 0);
#define SOFTMAX(kernels) (logarithm ? (kernels)->log_softmax_f32 : (kernels)->softmax_f32)
    SOFTMAX(run->kernels)(kc_row(found, 0), rows, found.columns, found.stride);
    for (size_t row = 0; row < rows; row++) {
      SOFTMAX(run->scalar)(kc_row(expected, row), 1, expected.columns, expected.columns);
    }
    if (!kc_same(run, "result", found, expected)) return false;
    kc_release(run, 0);
  }
  return true;
}

/// A score of attention is the sum in double of its products, and the scalar variant's to the bit.
bool kc_scores(kc_run *run, int additive) {
  static const size_t sizes[] = {0, 1, 7, 16, 33, 100, 512};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    const size_t size = sizes[i], count = 1 + i;
    kc_trying(run, "%zu keys of %zu elements", count, size);
    const kc_matrix query = kc_floats(run, 1, size, 0), weight = kc_floats(run, 1, size, 0);
    const kc_matrix keys = kc_floats(run, count, size, 0);
    kc_fill(run, query, 3, KC_ORDINARY);
    kc_fill(run, weight, 50, KC_ORDINARY);
    kc_fill(run, keys, 3, KC_ORDINARY);
    double found[sizeof sizes / sizeof *sizes], expected[sizeof sizes / sizeof *sizes];
    const float *q = kc_row(query, 0), *w = kc_row(weight, 0), *k = kc_row(keys, 0);
    if (additive) {
      run->kernels->additive_scores(q, w, k, count, size, found);
      run->scalar->additive_scores(q, w, k, count, size, expected);
    } else {
      run->kernels->dot_scores(q, k, count, size, found);
      run->scalar->dot_scores(q, k, count, size, expected);
    }
    for (size_t key = 0; key < count; key++) {
      double sum = 0, magnitude = 0;
      for (size_t at = 0; at < size; at++) {
        float shown = q[at] + k[key * size + at];
        run->scalar->tanh_f32(&shown, 1);
        const double term = additive ? (double)w[at] * (double)shown
                                     : (double)q[at] * (double)k[key * size + at];
        sum += term;
        magnitude += fabs(term);
      }
      if (memcmp(found + key, expected + key, sizeof *found) != 0) {
        return kc_fail(run, "key %zu: %.17g, of scalar %.17g", key, found[key], expected[key]);
      }
      if (!(fabs(found[key] - sum) <= magnitude * (double)size * DBL_EPSILON)) {
        return kc_fail(run, "key %zu: %.17g, not %.17g", key, found[key], sum);
      }
    }
    kc_release(run, 0);
  }
  return true;
}

/// The best score of a label is the largest of all ways to it, and the scalar variant's to the bit.
bool kc_best_scores(kc_run *run, int kind) {
  (void)kind;
  static const size_t counts[] = {1, 2, 15, 16, 17, 33, 100, 512};
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
    const size_t count = counts[i], blocks = (count + CK_LANES - 1) / CK_LANES;
    kc_trying(run, "%zu labels", count);
    const kc_matrix emissions = kc_floats(run, 1, count, 0), given = kc_floats(run, 1, count, 0);
    const kc_matrix transitions = kc_floats(run, 1, blocks * count * CK_LANES, 0);
    kc_fill(run, emissions, 3, KC_ORDINARY);
    kc_fill(run, given, 1000, KC_ORDINARY);
    kc_fill(run, transitions, 3, KC_ORDINARY);
    const float *e = kc_row(emissions, 0), *t = kc_row(transitions, 0);
    double scores[512], found[512], expected[512];
    for (size_t from = 0; from < count; from++) {
      // Scores that no float is, some of them equal.
      scores[from] = from % 5 == 4 ? scores[from - 1] : (double)kc_row(given, 0)[from] / 3;
    }
    run->kernels->best_scores(scores, t, e, count, found);
    run->scalar->best_scores(scores, t, e, count, expected);
    for (size_t to = 0; to < count; to++) {
      const float *ways = t + to / CK_LANES * count * CK_LANES + to % CK_LANES;
      double best = scores[0] + (double)ways[0];
      for (size_t from = 1; from < count; from++) {
        best = fmax(best, scores[from] + (double)ways[from * CK_LANES]);
      }
      best += (double)e[to];
      if (memcmp(found + to, expected + to, sizeof *found) != 0 || found[to] != best) {
        return kc_fail(
            run, "label %zu: %.17g, of scalar %.17g, not %.17g", to, found[to], expected[to], best);
      }
    }
    kc_release(run, 0);
  }
  return true;
}
