// What the kernels should compute, said plainly: one output at a time, in the documented order.
#ifndef KC_REFERENCE_H
#define KC_REFERENCE_H

#include "run.h"

/// Below this, quantize counts a row's magnitude as zero.
#define KC_I8_LEAST 0x1p-119f

/// Precisions that there are.
#define KC_PRECISIONS 3

size_t kc_rounded_up(size_t count, size_t multiple);

/// Outputs that a unit of a cell has, packed.
size_t kc_gates(ck_cell_kind);

/// An activation of a kind, with factors that do something.
ck_activation kc_some_activation(ck_activation_kind);

/// An activation in double precision.
double kc_activated(ck_activation, double x);

/// A float of IEEE half precision, by the compiler's own conversion.
float kc_half(float);

/// An int8 of `value` for a factor of 127 / largest magnitude: to nearest, ties to even.
int32_t kc_quantized(float value, float factor);

/// A matrix of weights, an output a row, as the kernels use and pack it.
typedef struct {
  ck_precision precision;
  bool together;  // packed for a variant that takes panels so
  size_t step;    // how many weights of a column lie together
  size_t gates;   // outputs a unit
  size_t depth;
  size_t columns;  // packed
  kc_matrix given;
  kc_matrix stored;  // rounded to half; of int8 the integers; or as given
  float *scales;     // int8: one an output
  ck_weights packed;
} kc_weights;

/// Random weights of gates · units outputs, packed.
kc_weights kc_make_weights(
    kc_run *, ck_precision, size_t gates, size_t units, size_t depth, kc_filling);

/// The output that a packed column holds, or SIZE_MAX for none.
size_t kc_output_of(const kc_weights *, size_t column);

/// Where an output's `k`th weight lies in the panels, in elements.
size_t kc_panel_index(const kc_weights *, size_t column, size_t k);

/// Inputs of a gemm or hidden states of a step, as the precision takes them.
typedef struct {
  kc_matrix values;
  float *scales;  // int8: one a row
} kc_inputs;

kc_inputs kc_make_inputs(
    kc_run *, ck_precision, size_t rows, size_t depth, size_t gap, kc_filling);

/// The last `rows` rows as a kernel takes them.
ck_inputs kc_operand(const kc_inputs *, size_t rows, bool scaled);

/// `start` + weights[column] · inputs[row], in the order of every kernel.
float kc_sum(
    const kc_weights *, const kc_inputs *, bool scaled, size_t row, size_t column, float start);

#endif
