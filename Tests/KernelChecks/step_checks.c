// ck_step against the sums of each unit alone and the scalar variant's cell.
#include "checks.h"
#include "reference.h"
#include "routines.h"

typedef struct {
  ck_precision precision;
  ck_cell cell;
  bool peepholes;
  size_t most_rows, recurrent_size, hidden_size;
  kc_filling filling;
  bool scaled;
} shape;

/// What a step writes.
typedef struct {
  kc_matrix state, update, output;
} written;

/// A step over `most_rows` rows, and what it should come to.
typedef struct {
  shape shape;
  kc_weights weights;
  kc_inputs hidden;
  kc_matrix projected, bias, peepholes, previous;
  written before, expected;
} problem;

static written last_rows(const written *w, size_t rows) {
  return (written){
    kc_last_rows(w->state, rows), kc_last_rows(w->update, rows), kc_last_rows(w->output, rows)};
}

/// The same numbers, with a gap behind each row.
static written copied(kc_run *run, written w) {
  return (written){
    kc_copy(run, w.state, 2), kc_copy(run, w.update, 3),
    kc_floats(run, w.output.rows, w.output.columns, 7)};
}

/// The step of some rows, the first of which is `first`, without h and R.
static ck_step call_of(const problem *p, size_t first, size_t rows, const written *to) {
  return (ck_step){
    .cell = p->shape.cell, .rows = rows, .hidden_size = p->shape.hidden_size,
    .projected = kc_row(p->projected, first), .projected_stride = p->projected.stride,
    .recurrent_bias = kc_row(p->bias, 0), .cell_state = kc_row(to->state, 0),
    .cell_state_stride = to->state.stride,
    .peepholes = p->shape.peepholes ? kc_row(p->peepholes, 0) : NULL,
    .peephole_stride = p->peepholes.stride, .previous = kc_row(p->previous, first),
    .previous_stride = p->previous.stride, .update = kc_row(to->update, 0),
    .update_stride = to->update.stride, .output = kc_row(to->output, 0),
    .output_stride = to->output.stride,
  };
}

/// Whether the sum of a packed column starts from the recurrent bias.
static bool starts_from_bias(const problem *p, size_t column) {
  const ck_cell_kind kind = p->shape.cell.kind;
  return kind == CK_PRODUCT || (kind == CK_GRU && column / CK_LANES % 3 == 2);
}

/// The cell of one row from its sums: the scalar variant's step with nothing recurrent.
static void expect(kc_run *run, problem *p, size_t row) {
  const size_t columns = p->weights.columns;
  const kc_matrix sums = kc_floats(run, 1, columns, 0), bias = kc_floats(run, 1, columns, 0);
  for (size_t column = 0; column < columns; column++) {
    const float projected = kc_row(p->projected, row)[column];
    const bool from_bias = starts_from_bias(p, column);
    const float start = from_bias ? kc_row(p->bias, 0)[column] : projected;
    const float sum = kc_sum(&p->weights, &p->hidden, p->shape.scaled, row, column, start);
    kc_row(bias, 0)[column] = sum;
    kc_row(sums, 0)[column] = from_bias ? projected : sum;
  }
  const written to = {
    {.values = (void *)kc_row(p->expected.state, row)},
    {.values = (void *)kc_row(p->expected.update, row)},
    {.values = (void *)kc_row(p->expected.output, row)}};
  ck_step call = call_of(p, row, 1, &to);
  call.projected = kc_row(sums, 0);
  call.recurrent_bias = kc_row(bias, 0);
  call.hidden.values = sums.values;
  call.weights = (ck_weights){.panels = sums.values, .gates = p->weights.gates};
  run->scalar->step_f32(&call);
}

static problem make(kc_run *run, shape s) {
  problem p = {.shape = s};
  p.weights = kc_make_weights(
      run, s.precision, kc_gates(s.cell.kind), s.hidden_size, s.recurrent_size, s.filling);
  p.hidden = kc_make_inputs(run, s.precision, s.most_rows, s.recurrent_size, 5, s.filling);
  p.projected = kc_floats(run, s.most_rows, p.weights.columns, 3);
  p.bias = kc_floats(run, 1, p.weights.columns, 0);
  p.peepholes = kc_floats(run, 3, s.hidden_size, 1);
  p.previous = kc_floats(run, s.most_rows, s.hidden_size, 4);
  p.before = (written){
    kc_floats(run, s.most_rows, s.hidden_size, 0), kc_floats(run, s.most_rows, s.hidden_size, 0),
    kc_floats(run, s.most_rows, s.hidden_size, 0)};
  const kc_matrix filled[] = {
    p.projected, p.bias, p.peepholes, p.previous, p.before.state, p.before.update};
  for (size_t i = 0; i < sizeof filled / sizeof *filled; i++) {
    kc_fill(run, filled[i], i == 0 ? 3 : 2, KC_ORDINARY);
    if (s.filling == KC_SPECIAL) kc_sprinkle(filled[i]);
  }
  p.expected = (written){
    kc_copy(run, p.before.state, 0), kc_copy(run, p.before.update, 0),
    kc_floats(run, s.most_rows, s.hidden_size, 0)};
  for (size_t row = 0; row < s.most_rows; row++) {
    const size_t held = run->held_count;
    expect(run, &p, row);
    kc_release(run, held);
  }
  return p;
}

/// Whether `bytes` are what `quantize` makes of the floats.
static bool quantized_alike(kc_run *run, kc_matrix bytes, kc_matrix floats) {
  const kc_matrix expected = kc_elements(run, 1, bytes.rows, bytes.columns, 0);
  const kc_matrix scales = kc_floats(run, 1, bytes.rows, 0);
  const kc_matrix expected_scales = kc_floats(run, 1, bytes.rows, 0);
  for (size_t i = 0; i < bytes.rows; i++) kc_row(expected_scales, 0)[i] = 1.0f / CK_I8_MAX;
  run->kernels->quantize(
      kc_row(floats, 0), floats.rows, floats.columns, floats.stride, 1, expected.values,
      expected.stride, kc_row(scales, 0));
  return kc_same(run, "quantized", bytes, expected) &&
         kc_same(run, "scales", scales, expected_scales);
}

/// Whether the last `rows` rows come to what each comes to alone.
static bool agrees(kc_run *run, const problem *p, size_t rows, bool backward, bool quantized) {
  const shape s = p->shape;
  kc_trying(
      run, "%zu rows, %zu -> %zu%s%s%s%s%s", rows, s.recurrent_size, s.hidden_size,
      backward ? ", backward" : "", quantized ? ", quantized" : "", s.scaled ? ", scaled" : "",
      s.filling == KC_SPECIAL ? ", special numbers" : "",
      s.cell.gate.kind == CK_SIGMOID ? "" : ", any activations");
  const written before = last_rows(&p->before, rows), expected = last_rows(&p->expected, rows);
  const written to = copied(run, before);
  const kc_matrix bytes = kc_elements(run, 1, rows, s.hidden_size, 9);
  ck_step call = call_of(p, s.most_rows - rows, rows, &to);
  call.recurrent_size = s.recurrent_size;
  call.hidden = kc_operand(&p->hidden, rows, s.scaled);
  call.weights = p->weights.packed;
  call.quantized = quantized ? bytes.values : NULL;
  call.quantized_stride = bytes.stride;
  call.backward = backward;
  kc_call_step(run->kernels, s.precision, &call);
  return kc_same(run, "cell state", to.state, expected.state) &&
         kc_same(run, "update", to.update, expected.update) &&
         kc_same(run, "output", to.output, expected.output) &&
         (!quantized || quantized_alike(run, bytes, to.output));
}

/// Whether h' of a common cell lies within ±1 for any state.
static bool is_bounded(ck_cell_kind kind) { return kind == CK_LSTM || kind == CK_RNN; }

static bool every(kc_run *run, shape s, size_t first, size_t step) {
  const size_t held = run->held_count;
  const problem p = make(run, s);
  // The interface does not say what a NaN becomes as a byte.
  const bool bytes = s.precision == CK_I8 && s.filling == KC_ORDINARY && is_bounded(s.cell.kind) &&
                     s.cell.gate.kind == CK_SIGMOID;
  for (size_t rows = first; rows <= s.most_rows; rows += step) {
    for (int options = 0; options < (bytes ? 4 : 2); options++) {
      const size_t before = run->held_count;
      if (!agrees(run, &p, rows, options & 1, options & 2)) return false;
      kc_release(run, before);
    }
  }
  kc_release(run, held);
  return true;
}

/// A cell of the kind that is not the common one, another each time.
static void vary(kc_run *run, shape *s) {
  ck_activation *const all[] = {&s->cell.gate, &s->cell.candidate, &s->cell.output};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
    *all[i] = kc_some_activation((ck_activation_kind)(kc_random(run) % CK_ACTIVATION_COUNT));
  }
  s->cell.gate.kind = CK_HARD_SIGMOID;
  s->cell.clip = kc_random(run) % 2 ? 1.5f : 0;
  s->cell.input_forget = kc_random(run) % 2;
  s->peepholes = kc_random(run) % 2;
}

bool kc_step(kc_run *run, int kind) {
  static const size_t hidden_sizes[] = {1, 5, 16, 17, 33, 65, 100, 150};
  shape s = {
    .precision = (ck_precision)(kind % KC_PRECISIONS),
    .cell = ck_common_cell((ck_cell_kind)(kind / KC_PRECISIONS)),
  };
  const bool integers = s.precision == CK_I8;
  for (size_t i = 0; i < sizeof hidden_sizes / sizeof *hidden_sizes; i++) {
    s.hidden_size = hidden_sizes[i];
    // Of the hidden size, or less where a projection follows.
    const size_t recurrent_sizes[] = {s.hidden_size, s.hidden_size / 3 + 2};
    for (int projection = 0; projection < 2; projection++) {
      s.recurrent_size = recurrent_sizes[projection];
      s.most_rows = 14;  // around every tile
      if (!every(run, s, 0, 1)) return false;
      shape other = s;
      other.scaled = integers;
      if (integers && !every(run, other, 0, 1)) return false;
      other.filling = KC_SPECIAL;
      if (!projection && s.hidden_size < 64 && !every(run, other, 0, 1)) return false;
      other = s;
      vary(run, &other);
      if (!every(run, other, 1, 4)) return false;
    }
  }
  // Rows around bands of them.
  s.hidden_size = s.recurrent_size = 20;
  s.most_rows = 100;
  if (!every(run, s, 45, 1)) return false;
  s.recurrent_size = 500;
  return !integers || every(run, s, 61, 13);
}
