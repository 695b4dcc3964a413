// ck_lstm_step against the sums of each unit alone and the scalar variant's cell.
#include "checks.h"
#include "reference.h"
#include "routines.h"

typedef struct {
  ck_precision precision;
  size_t most_rows, recurrent_size, hidden_size;
  kc_filling filling;
  bool scaled;
} shape;

/// A step over `most_rows` rows, and what it should come to.
typedef struct {
  shape shape;
  kc_weights weights;
  kc_inputs hidden;
  kc_matrix projected, cell, expected_cell, expected_output;
} problem;

/// The cell of one row from its pre-activations: the scalar variant's step with nothing recurrent.
static void expect(kc_run *run, problem *p, size_t row) {
  const kc_matrix sums = kc_floats(run, 1, p->weights.columns, 0);
  for (size_t column = 0; column < sums.columns; column++) {
    const float start = kc_row(p->projected, row)[column];
    kc_row(sums, 0)[column] =
        kc_sum(&p->weights, &p->hidden, p->shape.scaled, row, column, start);
  }
  const ck_lstm_step call = {
    .rows = 1, .recurrent_size = 0, .hidden_size = p->shape.hidden_size,
    .projected = kc_row(sums, 0), .hidden = {.values = sums.values},
    .weights = {.panels = sums.values}, .cell = kc_row(p->expected_cell, row),
    .output = kc_row(p->expected_output, row),
  };
  run->scalar->lstm_step_f32(&call);
}

static problem make(kc_run *run, shape s) {
  problem p = {.shape = s};
  p.weights = kc_make_weights(
      run, s.precision, true, 4 * s.hidden_size, s.recurrent_size, s.filling);
  p.hidden = kc_make_inputs(run, s.precision, s.most_rows, s.recurrent_size, 5, s.filling);
  p.projected = kc_floats(run, s.most_rows, p.weights.columns, 3);
  p.cell = kc_floats(run, s.most_rows, s.hidden_size, 0);
  kc_fill(run, p.projected, 3, KC_ORDINARY);
  kc_fill(run, p.cell, 2, KC_ORDINARY);
  if (s.filling == KC_SPECIAL) {
    kc_sprinkle(p.projected);
    kc_sprinkle(p.cell);
  }
  p.expected_cell = kc_copy(run, p.cell, 0);
  p.expected_output = kc_floats(run, s.most_rows, s.hidden_size, 0);
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
      run, "%zu rows, %zu -> %zu%s%s%s%s", rows, s.recurrent_size, s.hidden_size,
      backward ? ", backward" : "", quantized ? ", quantized" : "", s.scaled ? ", scaled" : "",
      s.filling == KC_SPECIAL ? ", special numbers" : "");
  const kc_matrix projected = kc_last_rows(p->projected, rows);
  const kc_matrix cell = kc_copy(run, kc_last_rows(p->cell, rows), 2);
  const kc_matrix output = kc_floats(run, rows, s.hidden_size, 7);
  const kc_matrix bytes = kc_elements(run, 1, rows, s.hidden_size, 9);
  const ck_lstm_step call = {
    .rows = rows, .recurrent_size = s.recurrent_size, .hidden_size = s.hidden_size,
    .projected = kc_row(projected, 0), .projected_stride = projected.stride,
    .hidden = kc_operand(&p->hidden, rows, s.scaled), .weights = p->weights.packed,
    .cell = kc_row(cell, 0), .cell_stride = cell.stride, .output = kc_row(output, 0),
    .output_stride = output.stride, .quantized = quantized ? bytes.values : NULL,
    .quantized_stride = bytes.stride, .backward = backward,
  };
  kc_call_step(run->kernels, s.precision, &call);
  return kc_same(run, "cell", cell, kc_last_rows(p->expected_cell, rows)) &&
         kc_same(run, "output", output, kc_last_rows(p->expected_output, rows)) &&
         (!quantized || quantized_alike(run, bytes, output));
}

static bool all_rows(kc_run *run, shape s) {
  const size_t held = run->held_count;
  const problem p = make(run, s);
  // The interface does not say what a NaN becomes as a byte.
  const bool bytes = s.precision == CK_I8 && s.filling == KC_ORDINARY;
  for (size_t rows = 0; rows <= s.most_rows; rows++) {
    for (int options = 0; options < (bytes ? 4 : 2); options++) {
      const size_t before = run->held_count;
      if (!agrees(run, &p, rows, options & 1, options & 2)) return false;
      kc_release(run, before);
    }
  }
  kc_release(run, held);
  return true;
}

bool kc_step(kc_run *run, int kind) {
  static const size_t hidden_sizes[] = {1, 5, 16, 17, 33, 65, 100};
  for (size_t i = 0; i < sizeof hidden_sizes / sizeof *hidden_sizes; i++) {
    const size_t hidden_size = hidden_sizes[i];
    // Of the hidden size, or less where a projection follows.
    const size_t recurrent_sizes[] = {hidden_size, hidden_size / 3 + 2};
    for (int projection = 0; projection < 2; projection++) {
      // Rows around every tile.
      shape s = {
        .precision = (ck_precision)kind, .most_rows = 14, .hidden_size = hidden_size,
        .recurrent_size = recurrent_sizes[projection],
      };
      if (!all_rows(run, s)) return false;
      s.scaled = kind == CK_I8;
      if (s.scaled && !all_rows(run, s)) return false;
      s.filling = KC_SPECIAL;
      if (!projection && hidden_size < 64 && !all_rows(run, s)) return false;
    }
  }
  return true;
}
