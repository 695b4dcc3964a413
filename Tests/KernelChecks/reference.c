#include "reference.h"

#include <float.h>
#include <math.h>
#include <string.h>

size_t kc_rounded_up(size_t count, size_t multiple) {
  return (count + multiple - 1) / multiple * multiple;
}

size_t kc_gates(ck_cell_kind kind) {
  switch (kind) {
    case CK_LSTM: return 4;
    case CK_GRU:
    case CK_GRU_GATES:
    case CK_GRU_CANDIDATE: return 3;
    case CK_RNN:
    case CK_PRODUCT: return 1;
  }
  return 0;
}

ck_activation kc_some_activation(ck_activation_kind kind) {
  const bool is_hard_sigmoid = kind == CK_HARD_SIGMOID;
  return (ck_activation){kind, is_hard_sigmoid ? 0.2f : 0.75f, is_hard_sigmoid ? 0.5f : 1.25f};
}

double kc_activated(ck_activation activation, double x) {
  const double alpha = (double)activation.alpha, beta = (double)activation.beta;
  switch (activation.kind) {
    case CK_SIGMOID: return 1 / (1 + exp(-x));
    case CK_TANH: return tanh(x);
    case CK_RELU: return fmax(0, x);
    case CK_HARD_SIGMOID: return fmin(1, fmax(0, alpha * x + beta));
    case CK_HARD_TANH: return fmin(1, fmax(-1, x));
    case CK_SOFTSIGN: return x / (1 + fabs(x));
    case CK_SOFTPLUS: return fmax(x, 0) + log1p(exp(-fabs(x)));
    case CK_ELU: return x < 0 ? alpha * expm1(x) : beta * x;
    case CK_LEAKY_RELU: return x < 0 ? alpha * x : x;
    case CK_THRESHOLDED_RELU: return x > alpha ? x : 0;
    case CK_SCALED_TANH: return alpha * tanh(beta * x);
    case CK_AFFINE: return alpha * x + beta;
    case CK_SILU: return x / (1 + exp(-x));
    case CK_EXPONENTIAL: return exp(x);
  }
  return NAN;
}

float kc_half(float value) { return (float)(_Float16)value; }

int32_t kc_quantized(float value, float factor) {
  return (int32_t)nearbyint((double)value * (double)factor);  // the product is exact
}

// --- Weights ---

/// What rows of special weights are scaled by: some become subnormal as halves or as floats, or zero.
static const float weight_scales[] = {1, 0x1p-20f, 0x1.4p-142f, 0};

/// The weights of an output as they are stored.
static void store(const kc_weights *w, size_t output) {
  const float *given = kc_row(w->given, output);
  float *stored = kc_row(w->stored, output), largest = 0;
  for (size_t k = 0; k < w->depth; k++) largest = fmaxf(largest, fabsf(given[k]));
  float scale = largest / CK_I8_MAX;
  if (scale < FLT_MIN) scale = 0;
  if (w->precision == CK_I8) w->scales[output] = scale;
  for (size_t k = 0; k < w->depth; k++) {
    switch (w->precision) {
      case CK_F32: stored[k] = given[k]; break;
      case CK_F16: stored[k] = kc_half(given[k]); break;
      // Integers have no −0.
      case CK_I8: stored[k] = scale > 0 ? nearbyintf(given[k] / scale) + 0.0f : 0; break;
    }
  }
}

kc_weights kc_make_weights(
    kc_run *run, ck_precision precision, size_t gates, size_t units, size_t depth,
    kc_filling filling) {
  const bool integers = precision == CK_I8;
  const size_t outputs = gates * units;
  kc_weights w = {
    .precision = precision, .gates = gates, .depth = depth,
    .together = run->kernels->panels_interleaved,
    .step = integers ? run->kernels->i8_step : 1,
    .columns = ck_packed_columns(gates, units),
    .given = kc_floats(run, outputs, depth, 0), .stored = kc_floats(run, outputs, depth, 0),
  };
  if (integers) w.scales = kc_row(kc_floats(run, 1, outputs, 0), 0);
  kc_fill(run, w.given, 1, filling == KC_EXTREME ? KC_EXTREME : KC_ORDINARY);
  const size_t scale_count = sizeof weight_scales / sizeof *weight_scales;
  for (size_t output = 0; output < outputs; output++) {
    const float scale = filling == KC_SPECIAL ? weight_scales[output % scale_count] : 1;
    for (size_t k = 0; k < depth; k++) kc_row(w.given, output)[k] *= scale;
    store(&w, output);
  }
  void *panels = kc_elements(run, 1, 1, ck_packed_bytes(precision, w.columns, depth), 0).values;
  float *scales = integers ? kc_row(kc_floats(run, 1, w.columns, 0), 0) : NULL;
  int32_t *offsets = integers ? (void *)kc_floats(run, 1, w.columns, 0).values : NULL;
  ck_pack(
      run->kernels, precision, gates, kc_row(w.given, 0), units, depth, panels, scales, offsets);
  w.packed = (ck_weights){panels, scales, offsets, gates};
  return w;
}

size_t kc_output_of(const kc_weights *w, size_t column) {
  const size_t units = w->given.rows / w->gates, all = w->gates * CK_LANES;
  const size_t gate = column % all / CK_LANES;
  const size_t unit = column / all * CK_LANES + column % CK_LANES;
  return unit < units ? gate * units + unit : SIZE_MAX;
}

size_t kc_panel_index(const kc_weights *w, size_t column, size_t k) {
  const size_t step = w->step, block = w->gates == 1 ? 4 : w->gates;
  const size_t beside = w->together ? block : 1;
  const size_t first = column / (beside * CK_LANES) * (beside * CK_LANES);
  const size_t left = (w->columns - first) / CK_LANES, panels = left < beside ? left : beside;
  const size_t panel = (column - first) / CK_LANES, lane = column % CK_LANES;
  // [panels beside each other][depth / step][panel][lane][step]
  const size_t line = k / step * panels + panel;
  const size_t depth = kc_rounded_up(w->depth, w->precision == CK_I8 ? CK_I8_STEP : 1);
  return first * depth + (line * CK_LANES + lane) * step + k % step;
}

// --- Inputs ---

kc_inputs kc_make_inputs(
    kc_run *run, ck_precision precision, size_t rows, size_t depth, size_t gap,
    kc_filling filling) {
  kc_inputs inputs = {0};
  if (precision == CK_I8) {
    inputs.values = kc_elements(run, 1, rows, kc_rounded_up(depth, CK_I8_STEP), gap);
    kc_fill_bytes(run, inputs.values, filling);
    const kc_matrix scales = kc_floats(run, rows, 1, 0);
    kc_fill(run, scales, 0x1p-7f, filling);
    inputs.scales = kc_row(scales, 0);
  } else {
    inputs.values = kc_floats(run, rows, depth, gap);
    kc_fill(run, inputs.values, 1, filling);
  }
  return inputs;
}

ck_inputs kc_operand(const kc_inputs *inputs, size_t rows, bool scaled) {
  const kc_matrix last = kc_last_rows(inputs->values, rows);
  const float *scales = scaled ? inputs->scales + (inputs->values.rows - rows) : NULL;
  return (ck_inputs){last.values, last.stride, scales};
}

float kc_sum(
    const kc_weights *w, const kc_inputs *inputs, bool scaled, size_t row, size_t column,
    float start) {
  const size_t output = kc_output_of(w, column);
  const bool exists = output != SIZE_MAX;
  const float *weights = exists ? kc_row(w->stored, output) : NULL;
  if (w->precision == CK_I8) {
    int64_t sum = 0;
    for (size_t k = 0; exists && k < w->depth; k++) {
      sum += (int64_t)weights[k] * (kc_byte_row(inputs->values, row)[k] - 128);
    }
    const float scale = scaled ? inputs->scales[row] : 1.0f / CK_I8_MAX;
    return fmaf((float)sum, (exists ? w->scales[output] : 0) * scale, start);
  }
  float sum = start;
  for (size_t k = 0; k < w->depth; k++) {
    sum = fmaf(exists ? weights[k] : 0, kc_row(inputs->values, row)[k], sum);
  }
  return sum;
}
