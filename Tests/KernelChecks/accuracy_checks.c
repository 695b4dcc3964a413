// The activations and softmax against the same mathematics in double precision.
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "accuracy.h"
#include "checks.h"
#include "routines.h"

static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

/// What an activation should be, how far off it may be, and in which interval: as far as it is not
/// cut off, and its exact value is a normal number.
static const struct {
  double (*exact)(double);
  double most_ulps;
  float low, high;
} activations[] = {
  [KC_EXP] = {exp, KC_EXP_ULPS, -87.3f, 88},
  [KC_SIGMOID] = {sigmoid, KC_SIGMOID_ULPS, -87.3f, FLT_MAX},
  [KC_TANH] = {tanh, KC_TANH_ULPS, -FLT_MAX, FLT_MAX},
};

/// The distance of two numbers in units in the last place that `exact` has as a float; 0 where it
/// is subnormal as one.
static double ulps(float found, double exact) {
  if (fabs(exact) < FLT_MIN) return 0;
  uint64_t bits;
  double power;  // of two, not above |exact|
  memcpy(&bits, &exact, sizeof bits);
  bits &= 0x7ff0000000000000;
  memcpy(&power, &bits, sizeof power);
  return fabs((double)found - exact) / (power * (double)FLT_EPSILON);
}

typedef struct {
  double ulps;
  float at;
} worst_case;

/// Measures an activation at some numbers.
static void measure(
    kc_run *run, kc_activation activation, const float *x, size_t count, worst_case *worst) {
  float y[1024];
  memcpy(y, x, count * sizeof *y);
  kc_activate(run->kernels, activation, y, count);
  for (size_t i = 0; i < count; i++) {
    const double error = ulps(y[i], activations[activation].exact((double)x[i]));
    // A NaN is the worst.
    if (!(error <= worst->ulps)) *worst = (worst_case){error, x[i]};
  }
}

bool kc_units_in_the_last_place(kc_run *run, int kind) {
  const uint32_t stride = getenv("CAROUSEL_EXHAUSTIVE") ? 1 : 9973;
  worst_case worst = {0, 0};
  float x[1024];
  size_t count = 0;
  for (uint64_t bits = 0; bits <= UINT32_MAX; bits += stride) {
    const uint32_t pattern = (uint32_t)bits;
    memcpy(x + count, &pattern, sizeof *x);
    if (x[count] >= activations[kind].low && x[count] <= activations[kind].high) count++;
    if (count == sizeof x / sizeof *x || bits + stride > UINT32_MAX) {
      measure(run, (kc_activation)kind, x, count, &worst);
      count = 0;
    }
  }
  const char *format = "%.4f units in the last place at %.9g, allowed %g";
  return worst.ulps <= activations[kind].most_ulps
             ? kc_note(run, format, worst.ulps, (double)worst.at, activations[kind].most_ulps)
             : kc_fail(run, format, worst.ulps, (double)worst.at, activations[kind].most_ulps);
}

/// Every activation of a cell where it is none of those above: relative to its value, or to 1 where a sum cancels.
bool kc_activation_accuracy(kc_run *run, int kind) {
  (void)kind;
  const kc_matrix values = kc_floats(run, 1, 20001, 0);
  for (int listed = 0; listed < CK_ACTIVATION_COUNT; listed++) {
    const ck_activation activation = kc_some_activation((ck_activation_kind)listed);
    const bool adds = activation.kind == CK_AFFINE || activation.kind == CK_HARD_SIGMOID;
    kc_trying(run, "activation %d", listed);
    const kc_matrix found = kc_floats(run, 1, values.columns, 0);
    for (size_t i = 0; i < values.columns; i++) {
      // Closer to each other the closer to 0 they are.
      const double place = (double)i / 10000 - 1;
      kc_row(values, 0)[i] = (float)(80 * place * place * place);
    }
    memcpy(found.values, values.values, values.columns * sizeof(float));
    run->kernels->activate_f32(&activation, kc_row(found, 0), found.columns);
    for (size_t i = 0; i < values.columns; i++) {
      const double expected = kc_activated(activation, (double)kc_row(values, 0)[i]);
      const double bound = KC_ACTIVATION_ERROR * (adds ? 1 + fabs(expected) : fabs(expected));
      if (!kc_close(run, "value", i, kc_row(found, 0)[i], expected, bound + KC_CUT_OFF)) {
        return false;
      }
    }
    kc_release(run, 1);
  }
  return true;
}

bool kc_extremes(kc_run *run, int kind) {
  (void)kind;
  static const struct {
    const char *name;
    kc_activation activation;
    float x, low, high;
  } extremes[] = {
    {"tanh", KC_TANH, -INFINITY, -1, -1},
    {"tanh", KC_TANH, -1000, -1, -1},
    {"tanh", KC_TANH, 1000, 1, 1},
    {"tanh", KC_TANH, INFINITY, 1, 1},
    {"sigmoid", KC_SIGMOID, -INFINITY, 0, 1e-37f},
    {"sigmoid", KC_SIGMOID, -1000, 0, 1e-37f},
    {"sigmoid", KC_SIGMOID, 1000, 1, 1},
    {"sigmoid", KC_SIGMOID, INFINITY, 1, 1},
    // Neither nothing nor infinite.
    {"exp", KC_EXP, -INFINITY, FLT_MIN, 1.3e-38f},
    {"exp", KC_EXP, -1000, FLT_MIN, 1.3e-38f},
    {"exp", KC_EXP, 1000, 1.6e38f, FLT_MAX},
    {"exp", KC_EXP, INFINITY, 1.6e38f, FLT_MAX},
  };
  for (size_t i = 0; i < sizeof extremes / sizeof *extremes; i++) {
    float y = extremes[i].x, none = NAN;
    kc_activate(run->kernels, extremes[i].activation, &y, 1);
    if (!(y >= extremes[i].low && y <= extremes[i].high)) {
      return kc_fail(
          run, "%s(%g) is %.9g, expected %.9g to %.9g", extremes[i].name, (double)extremes[i].x,
          (double)y, (double)extremes[i].low, (double)extremes[i].high);
    }
    kc_activate(run->kernels, extremes[i].activation, &none, 1);
    if (!isnan(none)) return kc_fail(run, "%s(NaN) is %g", extremes[i].name, (double)none);
  }
  return true;
}

/// Softmax of one row and its logarithm, in double precision.
static bool softmax_is_close(kc_run *run, kc_matrix scores) {
  const size_t columns = scores.columns;
  const kc_matrix shares = kc_copy(run, scores, 0), logarithms = kc_copy(run, scores, 0);
  run->kernels->softmax_f32(kc_row(shares, 0), 1, columns, columns);
  run->kernels->log_softmax_f32(kc_row(logarithms, 0), 1, columns, columns);

  const float *x = kc_row(scores, 0);
  double maximum = -INFINITY, sum = 0, spread = 0;
  for (size_t i = 0; i < columns; i++) maximum = fmax(maximum, (double)x[i]);
  for (size_t i = 0; i < columns; i++) {
    const double distance = maximum - (double)x[i];
    sum += exp(-distance);
    spread += exp(-distance) * distance;
  }
  // A distance is rounded before its exponential is taken, which then is off by as much relatively.
  // The sum is made in double and rounded once.
  const double sum_error =
      KC_U * spread / sum + KC_EXP_ERROR + KC_U + (double)columns * DBL_EPSILON;
  for (size_t i = 0; i < columns; i++) {
    const double distance = maximum - (double)x[i], share = exp(-distance) / sum;
    const double logarithm = -distance - log(sum);
    const double share_error = KC_U * distance + KC_EXP_ERROR + sum_error + KC_U;
    const double logarithm_error = KC_U * (distance + log(sum) - logarithm) + sum_error;
    const double slack = 1 + KC_SECOND_ORDER;
    if (!kc_close(
            run, "softmax", i, kc_row(shares, 0)[i], share,
            share * share_error * slack + KC_CUT_OFF) ||
        !kc_close(
            run, "log softmax", i, kc_row(logarithms, 0)[i], logarithm,
            logarithm_error * slack)) {
      return false;
    }
  }
  return true;
}

/// Of equal scores the sum is exact, and the logarithm correctly rounded.
static bool logarithm_is_close(kc_run *run, size_t columns) {
  const kc_matrix scores = kc_floats(run, 1, columns, 0);
  for (size_t i = 0; i < columns; i++) kc_row(scores, 0)[i] = 1;
  run->kernels->log_softmax_f32(kc_row(scores, 0), 1, columns, columns);
  const double expected = -log((double)columns), bound = KC_U * -expected * (1 + KC_SECOND_ORDER);
  return kc_close(run, "log softmax", 0, kc_row(scores, 0)[0], expected, bound);
}

bool kc_softmax_accuracy(kc_run *run, int kind) {
  (void)kind;
  static const float large[] = {1000, 999, -1000};
  const kc_matrix few = kc_floats(run, 1, 3, 0);
  memcpy(few.values, large, sizeof large);
  kc_trying(run, "large scores");
  if (!softmax_is_close(run, few)) return false;
  for (size_t trial = 0; trial < 500; trial++) {
    // Few scores most often: the less is added, the more the logarithm's own error shows. Twice as many as a sequence
    // may have steps.
    const size_t columns = trial % 100 == 99 ? 65537 : trial % 10 == 0 ? 1 + trial : 1 + trial % 10;
    kc_trying(run, "%zu columns", columns);
    const kc_matrix scores = kc_floats(run, 1, columns, 0);
    kc_fill(run, scores, trial % 2 ? 1 : 10, KC_ORDINARY);
    if (!softmax_is_close(run, scores) || !logarithm_is_close(run, 1 + trial)) return false;
    kc_release(run, 0);
  }
  return true;
}
