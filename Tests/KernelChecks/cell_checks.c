// The cells' equations in double precision, and the carousel that the LSTM's turn on.
#include <math.h>
#include <string.h>

#include "accuracy.h"
#include "checks.h"
#include "reference.h"
#include "routines.h"

typedef struct {
  ck_cell cell;  // of CK_GRU_GATES both calls
  bool has_peepholes;
  size_t rows, hidden_size;
  kc_weights input_weights, recurrent_weights, bias, recurrent_bias;
  kc_inputs input, hidden;
  kc_matrix state, peepholes;
} problem;

static problem make(
    kc_run *run, ck_cell_kind kind, size_t rows, size_t input_size, size_t hidden_size,
    float input_scale) {
  const size_t gates = kc_gates(kind);
  problem p = {
    .cell = ck_common_cell(kind), .rows = rows, .hidden_size = hidden_size,
    .input_weights = kc_make_weights(run, CK_F32, gates, hidden_size, input_size, KC_ORDINARY),
    .recurrent_weights =
        kc_make_weights(run, CK_F32, gates, hidden_size, hidden_size, KC_ORDINARY),
    .bias = kc_make_weights(run, CK_F32, gates, hidden_size, 1, KC_ORDINARY),
    .recurrent_bias = kc_make_weights(run, CK_F32, gates, hidden_size, 1, KC_ORDINARY),
    .input = kc_make_inputs(run, CK_F32, rows, input_size, 0, KC_ORDINARY),
    .hidden = kc_make_inputs(run, CK_F32, rows, hidden_size, 0, KC_ORDINARY),
    .state = kc_floats(run, rows, hidden_size, 0), .peepholes = kc_floats(run, 3, hidden_size, 0),
  };
  kc_fill(run, p.input.values, input_scale, KC_ORDINARY);
  kc_fill(run, p.state, 2, KC_ORDINARY);
  kc_fill(run, p.peepholes, 1, KC_ORDINARY);
  return p;
}

/// A number in double precision, and how far off a float may be.
typedef struct {
  double value, error;
} number;

static number exactly(float value) { return (number){(double)value, 0}; }

/// Adds products to a sum, and the errors that adding them makes.
static number dot(number sum, const float *weights, const number *inputs, size_t count) {
  double magnitudes = fabs(sum.value), inherited = sum.error;
  for (size_t k = 0; k < count; k++) {
    const double term = (double)weights[k] * inputs[k].value;
    sum.value += term;
    magnitudes += fabs(term);
    inherited += fabs((double)weights[k]) * inputs[k].error;
  }
  return (number){sum.value, inherited + magnitudes * kc_gamma((double)count)};
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

static number less_from_1(number a) {
  return (number){1 - a.value, a.error + KC_U * fabs(1 - a.value)};
}

static number activated(ck_activation activation, number x) {
  const double value = kc_activated(activation, x.value);
  if (activation.kind == CK_SIGMOID) {
    return (number){value, value * (1 - value) * x.error + value * KC_SIGMOID_ERROR};
  }
  if (activation.kind == CK_TANH) {
    return (number){value, (1 - value * value) * x.error + fabs(value) * KC_TANH_ERROR};
  }
  // What is that far off, to either side, and no more: all are monotonic there, or nearly.
  const double below = fabs(kc_activated(activation, x.value - x.error) - value);
  const double above = fabs(kc_activated(activation, x.value + x.error) - value);
  const double own = (1 + fabs(value)) * KC_ACTIVATION_ERROR;
  return (number){value, 1.01 * fmax(below, above) + own};
}

/// What an activation of a gate or a candidate makes of a sum.
static number clipped(const problem *p, ck_activation activation, number x) {
  const double clip = (double)p->cell.clip;
  if (clip > 0) x.value = fmin(clip, fmax(-clip, x.value));
  return activated(activation, x);
}

/// One row of a problem.
typedef struct {
  const problem *p;
  size_t row;
  number x[128], h[128];
} row;

static void numbers_of(number *to, kc_matrix matrix, size_t row) {
  for (size_t k = 0; k < matrix.columns; k++) to[k] = exactly(kc_row(matrix, row)[k]);
}

/// b + W x of an output, and then + R h.
static number from_input(const row *r, size_t output) {
  const kc_weights *w = &r->p->input_weights;
  const number bias = exactly(kc_row(r->p->bias.given, output)[0]);
  return dot(bias, kc_row(w->given, output), r->x, w->depth);
}

static number from_hidden(const row *r, size_t output, number start, const number *hidden) {
  const kc_weights *w = &r->p->recurrent_weights;
  return dot(start, kc_row(w->given, output), hidden, w->depth);
}

static number whole(const row *r, size_t gate, size_t unit) {
  const size_t output = gate * r->p->hidden_size + unit;
  return from_hidden(r, output, from_input(r, output), r->h);
}

/// d + R h, where d stays apart.
static number apart(const row *r, size_t gate, size_t unit) {
  const size_t output = gate * r->p->hidden_size + unit;
  return from_hidden(r, output, exactly(kc_row(r->p->recurrent_bias.given, output)[0]), r->h);
}

static number peephole(const row *r, size_t gate, size_t unit, number c) {
  if (!r->p->has_peepholes) return exactly(0);
  return product(exactly(kc_row(r->p->peepholes, gate)[unit]), c);
}

static number lstm(const row *r, size_t unit, number *state) {
  const problem *p = r->p;
  const number c = exactly(kc_row(p->state, r->row)[unit]);
  const number i = clipped(p, p->cell.gate, sum_of(whole(r, 0, unit), peephole(r, 0, unit, c)));
  number f = clipped(p, p->cell.gate, sum_of(whole(r, 1, unit), peephole(r, 1, unit, c)));
  if (p->cell.input_forget) f = less_from_1(i);
  const number g = clipped(p, p->cell.candidate, whole(r, 2, unit));
  *state = sum_of(product(f, c), product(i, g));
  const number o =
      clipped(p, p->cell.gate, sum_of(whole(r, 3, unit), peephole(r, 2, unit, *state)));
  return product(o, activated(p->cell.output, *state));
}

static number mixed(number z, number n, number h) {
  return sum_of(product(less_from_1(z), n), product(z, h));
}

static number gru(const row *r, size_t unit, bool reset_before) {
  const problem *p = r->p;
  const ck_activation f = p->cell.gate, g = p->cell.candidate;
  const size_t output = 2 * p->hidden_size + unit;
  const number z = clipped(p, f, whole(r, 1, unit)), own = from_input(r, output);
  number n;
  if (reset_before) {
    number reset[128];
    for (size_t k = 0; k < p->hidden_size; k++) {
      reset[k] = product(clipped(p, f, whole(r, 0, k)), r->h[k]);
    }
    n = from_hidden(r, output, own, reset);
  } else {
    n = sum_of(own, product(clipped(p, f, whole(r, 0, unit)), apart(r, 2, unit)));
  }
  return mixed(z, clipped(p, g, n), r->h[unit]);
}

static bool is_close(kc_run *run, const char *what, size_t index, float found, number expected) {
  const double bound = expected.error * (1 + KC_SECOND_ORDER) + KC_CUT_OFF;
  return kc_close(run, what, index, found, expected.value, bound);
}

/// h' of the kernels, and c' in `state`.
static kc_matrix step_of(kc_run *run, const problem *p, kc_matrix state) {
  const size_t columns = p->bias.columns;
  const kc_matrix projected = kc_floats(run, p->rows, columns, 0);
  const kc_matrix output = kc_floats(run, p->rows, p->hidden_size, 0);
  const ck_gemm gemm = {
    .rows = p->rows, .depth = p->input_weights.depth, .columns = columns,
    .input = kc_operand(&p->input, p->rows, false), .weights = p->input_weights.packed,
    .bias = p->bias.packed.panels, .output = kc_row(projected, 0), .output_stride = columns,
  };
  // A matrix of one gate takes its outputs, which here need not be whole panels.
  run->kernels->gemm_f32(&gemm);
  ck_step step = {
    .cell = p->cell, .rows = p->rows, .recurrent_size = p->hidden_size,
    .hidden_size = p->hidden_size, .projected = kc_row(projected, 0), .projected_stride = columns,
    .hidden = kc_operand(&p->hidden, p->rows, false), .weights = p->recurrent_weights.packed,
    .recurrent_bias = p->recurrent_bias.packed.panels, .cell_state = kc_row(state, 0),
    .cell_state_stride = p->hidden_size,
    .peepholes = p->has_peepholes ? kc_row(p->peepholes, 0) : NULL,
    .peephole_stride = p->hidden_size, .previous = kc_row(p->hidden.values, 0),
    .previous_stride = p->hidden_size, .output = kc_row(output, 0),
    .output_stride = p->hidden_size,
  };
  if (p->cell.kind == CK_GRU_GATES) {
    step.update = kc_row(kc_floats(run, p->rows, p->hidden_size, 0), 0);
    step.update_stride = p->hidden_size;
    run->kernels->step_f32(&step);
    const kc_matrix reset = output;
    const kc_matrix next = kc_floats(run, p->rows, p->hidden_size, 0);
    step.cell.kind = CK_GRU_CANDIDATE;
    step.hidden.values = reset.values;
    step.output = kc_row(next, 0);
    run->kernels->step_f32(&step);
    return next;
  }
  run->kernels->step_f32(&step);
  return output;
}

/// A step of the kernels' against the equations.
static bool step_is_close(kc_run *run, const problem *p) {
  kc_trying(
      run, "%zu rows, %zu and %zu -> %zu, activations %d %d %d", p->rows, p->input_weights.depth,
      p->hidden_size, p->hidden_size, p->cell.gate.kind, p->cell.candidate.kind,
      p->cell.output.kind);
  const kc_matrix state = kc_copy(run, p->state, 0), output = step_of(run, p, state);
  for (size_t index = 0; index < p->rows; index++) {
    row r = {.p = p, .row = index};
    numbers_of(r.x, p->input.values, index);
    numbers_of(r.h, p->hidden.values, index);
    for (size_t unit = 0; unit < p->hidden_size; unit++) {
      number c = exactly(kc_row(p->state, index)[unit]), h = exactly(0);
      switch (p->cell.kind) {
        case CK_LSTM: h = lstm(&r, unit, &c); break;
        case CK_GRU: h = gru(&r, unit, false); break;
        case CK_GRU_GATES:
        case CK_GRU_CANDIDATE: h = gru(&r, unit, true); break;
        case CK_RNN: h = clipped(p, p->cell.candidate, whole(&r, 0, unit)); break;
        case CK_PRODUCT: h = product(from_input(&r, unit), apart(&r, 0, unit)); break;
      }
      if (!is_close(run, "cell state", unit, kc_row(state, index)[unit], c) ||
          !is_close(run, "output", unit, kc_row(output, index)[unit], h)) {
        return false;
      }
    }
  }
  return true;
}

/// Activations that are continuous: an error of what they are given stays as small.
static bool is_continuous(ck_activation_kind kind) { return kind != CK_THRESHOLDED_RELU; }

/// Forms of a cell other than the common one: each activation in each place.
static bool forms_are_close(kc_run *run, problem *p) {
  for (int kind = 0; kind < CK_ACTIVATION_COUNT; kind++) {
    if (!is_continuous((ck_activation_kind)kind)) continue;
    const ck_activation hard = kc_some_activation(CK_HARD_SIGMOID);
    const ck_activation one = kc_some_activation((ck_activation_kind)kind);
    const ck_cell cells[] = {
      {p->cell.kind, one, hard, hard, 0.5f, false}, {p->cell.kind, hard, one, hard, 2, true},
      {p->cell.kind, hard, hard, one, 0, false}};
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
      const size_t held = run->held_count;
      p->cell = cells[i];
      p->has_peepholes = i != 1;
      if (!step_is_close(run, p)) return false;
      kc_release(run, held);
    }
  }
  return true;
}

bool kc_step_accuracy(kc_run *run, int kind) {
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
    problem p = make(
        run, (ck_cell_kind)kind, shapes[i].rows, shapes[i].input_size, shapes[i].hidden_size,
        shapes[i].input_scale);
    if (!step_is_close(run, &p)) return false;
    if (i == 2 && !forms_are_close(run, &p)) return false;
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
