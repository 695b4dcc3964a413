// The LSTM's equations in double precision, and the carousel that they turn on.
#include <math.h>
#include <string.h>

#include "accuracy.h"
#include "checks.h"
#include "reference.h"
#include "routines.h"

typedef struct {
  size_t rows, hidden_size;
  kc_weights input_weights, recurrent_weights, bias;
  kc_inputs input, hidden;
  kc_matrix cell;
} problem;

static problem make(
    kc_run *run, size_t rows, size_t input_size, size_t hidden_size, float input_scale) {
  problem p = {
    .rows = rows, .hidden_size = hidden_size,
    .input_weights = kc_make_weights(run, CK_F32, 4, hidden_size, input_size, KC_ORDINARY),
    .recurrent_weights =
        kc_make_weights(run, CK_F32, 4, hidden_size, hidden_size, KC_ORDINARY),
    .bias = kc_make_weights(run, CK_F32, 4, hidden_size, 1, KC_ORDINARY),
    .input = kc_make_inputs(run, CK_F32, rows, input_size, 0, KC_ORDINARY),
    .hidden = kc_make_inputs(run, CK_F32, rows, hidden_size, 0, KC_ORDINARY),
    .cell = kc_floats(run, rows, hidden_size, 0),
  };
  kc_fill(run, p.input.values, input_scale, KC_ORDINARY);
  kc_fill(run, p.cell, 2, KC_ORDINARY);
  return p;
}

/// A number in double precision, and how far off a float may be.
typedef struct {
  double value, error;
} number;

/// Adds products to a sum, and their magnitudes to its error.
static void add(
    number *sum, const kc_weights *weights, size_t output, const kc_inputs *inputs, size_t row) {
  for (size_t k = 0; k < weights->depth; k++) {
    const double term =
        (double)kc_row(weights->given, output)[k] * (double)kc_row(inputs->values, row)[k];
    sum->value += term;
    sum->error += fabs(term);
  }
}

static number gate(const problem *p, size_t row, size_t unit, size_t index) {
  const size_t output = index * p->hidden_size + unit;
  const double bias = (double)kc_row(p->bias.given, output)[0];
  number sum = {bias, fabs(bias)};
  add(&sum, &p->input_weights, output, &p->input, row);
  add(&sum, &p->recurrent_weights, output, &p->hidden, row);
  sum.error *= kc_gamma((double)(p->input_weights.depth + p->recurrent_weights.depth));
  return sum;
}

static number sigmoid(number x) {
  const double value = 1 / (1 + exp(-x.value)), slope = value * (1 - value);
  return (number){value, slope * x.error + value * KC_SIGMOID_ERROR};
}

static number hyperbolic_tangent(number x) {
  const double value = tanh(x.value), slope = 1 - value * value;
  return (number){value, slope * x.error + fabs(value) * KC_TANH_ERROR};
}

/// The step shares divisions, and so rounds less often than what multiplies rounded activations.
static number product(number a, number b) {
  const double value = a.value * b.value;
  return (number){
    value, a.error * fabs(b.value) + b.error * fabs(a.value) + KC_U * fabs(value)};
}

static number sum_of(number a, number b) {
  const double value = a.value + b.value;
  return (number){value, a.error + b.error + KC_U * fabs(value)};
}

static bool is_close(kc_run *run, const char *what, size_t index, float found, number expected) {
  const double bound = expected.error * (1 + KC_SECOND_ORDER) + KC_CUT_OFF;
  return kc_close(run, what, index, found, expected.value, bound);
}

/// A step of the kernels' against the equations.
static bool step_is_close(kc_run *run, const problem *p) {
  kc_trying(
      run, "%zu rows, %zu and %zu -> %zu", p->rows, p->input_weights.depth, p->hidden_size,
      p->hidden_size);
  const size_t columns = p->bias.columns;
  const kc_matrix projected = kc_floats(run, p->rows, columns, 0);
  const kc_matrix cell = kc_copy(run, p->cell, 0);
  const kc_matrix output = kc_floats(run, p->rows, p->hidden_size, 0);
  const ck_gemm gemm = {
    .rows = p->rows, .depth = p->input_weights.depth, .columns = columns,
    .input = kc_operand(&p->input, p->rows, false), .weights = p->input_weights.packed,
    .bias = p->bias.packed.panels, .output = kc_row(projected, 0), .output_stride = columns,
  };
  run->kernels->gemm_f32(&gemm);
  const ck_step step = {
    .cell = ck_common_cell(CK_LSTM),
    .rows = p->rows, .recurrent_size = p->hidden_size, .hidden_size = p->hidden_size,
    .projected = kc_row(projected, 0), .projected_stride = columns,
    .hidden = kc_operand(&p->hidden, p->rows, false), .weights = p->recurrent_weights.packed,
    .cell_state = kc_row(cell, 0), .cell_state_stride = p->hidden_size,
    .output = kc_row(output, 0), .output_stride = p->hidden_size,
  };
  run->kernels->step_f32(&step);

  for (size_t row = 0; row < p->rows; row++) {
    for (size_t unit = 0; unit < p->hidden_size; unit++) {
      const number c = {(double)kc_row(p->cell, row)[unit], 0};
      const number next = sum_of(
          product(sigmoid(gate(p, row, unit, 1)), c),
          product(sigmoid(gate(p, row, unit, 0)), hyperbolic_tangent(gate(p, row, unit, 2))));
      const number h = product(sigmoid(gate(p, row, unit, 3)), hyperbolic_tangent(next));
      if (!is_close(run, "cell", unit, kc_row(cell, row)[unit], next) ||
          !is_close(run, "output", unit, kc_row(output, row)[unit], h)) {
        return false;
      }
    }
  }
  return true;
}

bool kc_step_accuracy(kc_run *run, int kind) {
  (void)kind;
  static const struct {
    size_t rows, input_size, hidden_size;
    float input_scale;
  } shapes[] = {
    {500, 1, 1, 3},    // sums so short that the activations' own errors show
    {500, 1, 1, 200},  // gates that are open or shut
    {5, 9, 40, 2},
    {3, 30, 100, 1},
  };
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    const problem p = make(
        run, shapes[i].rows, shapes[i].input_size, shapes[i].hidden_size, shapes[i].input_scale);
    if (!step_is_close(run, &p)) return false;
    kc_release(run, 0);
  }
  return true;
}

/// The constant error carousel: an open forget gate and a shut input gate carry c to the bit.
bool kc_carousel(kc_run *run, int kind) {
  const ck_precision precision = (ck_precision)kind;
  const size_t rows = 3, hidden_size = 20;
  const kc_weights weights =
      kc_make_weights(run, precision, 4, hidden_size, hidden_size, KC_ORDINARY);
  const kc_matrix projected = kc_floats(run, rows, weights.columns, 0);
  kc_fill(run, projected, 1, KC_ORDINARY);
  for (size_t row = 0; row < rows; row++) {
    for (size_t column = 0; column < weights.columns; column++) {
      const size_t gate = kc_output_of(&weights, column) / hidden_size;
      if (gate == 0) kc_row(projected, row)[column] = -60;  // i, and hidden units add at most 20
      if (gate == 1) kc_row(projected, row)[column] = 60;   // f
    }
  }
  const kc_matrix start = kc_floats(run, rows, hidden_size, 0);
  kc_fill(run, start, 2, KC_ORDINARY);
  const kc_matrix cell = kc_copy(run, start, 0), output = kc_floats(run, rows, hidden_size, 0);
  const kc_matrix bytes = kc_elements(run, 1, rows, hidden_size, 0);
  kc_inputs hidden = kc_make_inputs(run, precision, rows, hidden_size, 0, KC_ORDINARY);
  for (int t = 0; t < 1000; t++) {
    const ck_step step = {
      .cell = ck_common_cell(CK_LSTM),
      .rows = rows, .recurrent_size = hidden_size, .hidden_size = hidden_size,
      .projected = kc_row(projected, 0), .projected_stride = weights.columns,
      .hidden = kc_operand(&hidden, rows, false), .weights = weights.packed,
      .cell_state = kc_row(cell, 0), .cell_state_stride = hidden_size,
      .output = kc_row(output, 0), .output_stride = hidden_size, .quantized = precision == CK_I8 ? bytes.values : NULL,
      .quantized_stride = hidden_size, .backward = t % 2,
    };
    kc_call_step(run->kernels, precision, &step);
    memcpy(
        hidden.values.values, precision == CK_I8 ? bytes.values : output.values,
        rows * hidden_size * hidden.values.element_size);
  }
  return kc_same(run, "cell after 1000 steps", cell, start);
}
