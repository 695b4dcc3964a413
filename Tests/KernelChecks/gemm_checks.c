// ck_gemm against one sum at a time.
#include "checks.h"
#include "reference.h"
#include "routines.h"

typedef struct {
  ck_precision precision;
  size_t gates, most_rows, depth, units;
  kc_filling filling;
} shape;

/// Whether every number of rows gives the sums that each row has alone.
static bool agrees(kc_run *run, shape s, bool scaled) {
  const size_t held = run->held_count;
  const kc_weights weights =
      kc_make_weights(run, s.precision, s.gates, s.units, s.depth, s.filling);
  const size_t columns = s.gates > 1 ? weights.columns : s.units;
  const kc_inputs inputs =
      kc_make_inputs(run, s.precision, s.most_rows, s.depth, 5, s.filling);
  const kc_matrix bias = kc_floats(run, 1, weights.columns, 0);
  kc_fill(run, bias, 1, KC_ORDINARY);
  // Where nothing is added to them, small products show.
  for (size_t i = 0; s.filling == KC_SPECIAL && i < bias.columns; i += 2) kc_row(bias, 0)[i] = 0;

  const kc_matrix expected = kc_floats(run, s.most_rows, columns, 0);
  for (size_t row = 0; row < s.most_rows; row++) {
    for (size_t column = 0; column < columns; column++) {
      kc_row(expected, row)[column] =
          kc_sum(&weights, &inputs, scaled, row, column, kc_row(bias, 0)[column]);
    }
  }
  for (size_t rows = 0; rows <= s.most_rows; rows++) {
    kc_trying(
        run, "%zu rows, depth %zu, %zu columns of %zu gates%s%s", rows, s.depth, columns, s.gates,
        scaled ? ", scaled" : "", s.filling == KC_SPECIAL ? ", special numbers" : "");
    const size_t before = run->held_count;
    const kc_matrix output = kc_floats(run, rows, columns, 3);
    const ck_gemm call = {
      .rows = rows, .depth = s.depth, .columns = columns,
      .input = kc_operand(&inputs, rows, scaled), .weights = weights.packed,
      .bias = kc_row(bias, 0), .output = kc_row(output, 0), .output_stride = output.stride,
    };
    kc_call_gemm(run->kernels, s.precision, &call);
    if (!kc_same(run, "output", output, kc_last_rows(expected, rows))) return false;
    kc_release(run, before);
  }
  kc_release(run, held);
  return true;
}

/// Depths around a step of int8 and beyond what is unrolled.
static const size_t depths[] = {0, 1, 2, 3, 4, 5, 9, 64, 67};
/// Rows around every tile, and more than three tiles of any.
#define MOST_ROWS 19

static bool all_depths(kc_run *run, shape s) {
  for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
    s.depth = depths[i];
    for (s.filling = KC_ORDINARY; s.filling <= KC_SPECIAL; s.filling++) {
      if (!agrees(run, s, false)) return false;
      if (s.precision == CK_I8 && !agrees(run, s, true)) return false;
    }
  }
  return true;
}

bool kc_gemm_gates(kc_run *run, int kind) {
  static const size_t hidden_sizes[] = {1, 17, 33, 80};
  for (size_t gates = 2; gates <= 4; gates++) {
    for (size_t i = 0; i < sizeof hidden_sizes / sizeof *hidden_sizes; i++) {
      const shape s = {
        .precision = (ck_precision)kind, .gates = gates, .most_rows = MOST_ROWS,
        .units = hidden_sizes[i],
      };
      if (!all_depths(run, s)) return false;
    }
  }
  return true;
}

bool kc_gemm_columns(kc_run *run, int kind) {
  static const size_t columns[] = {1, 15, 16, 17, 63, 64, 65, 130};
  for (size_t i = 0; i < sizeof columns / sizeof *columns; i++) {
    const shape s = {
      .precision = (ck_precision)kind, .gates = 1, .most_rows = MOST_ROWS,
      .units = kind == CK_F32 ? columns[i] : kc_rounded_up(columns[i], CK_LANES),
    };
    if (!all_depths(run, s)) return false;
  }
  return true;
}

bool kc_gemm_deepest(kc_run *run, int kind) {
  const shape s = {
    .precision = (ck_precision)kind, .gates = 4, .most_rows = 2, .depth = CK_I8_MAX_DEPTH,
    .units = 1, .filling = KC_EXTREME,
  };
  return agrees(run, s, false);
}

bool kc_gemm_bands(kc_run *run, int kind) {
  // Around the most inputs that are widened at once, and rows of more than one band of them.
  static const size_t shapes[][2] = {{2044, 17}, {2048, 17}, {2049, 17}, {500, 70}};
  for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
    const shape s = {
      .precision = (ck_precision)kind, .gates = 4, .most_rows = shapes[i][1],
      .depth = shapes[i][0], .units = 5, .filling = KC_EXTREME,
    };
    if (!agrees(run, s, true)) return false;
  }
  return true;
}
