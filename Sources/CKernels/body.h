// The source of all routines. Included by each variant, which defines
//   CK_WIDTH           floats in a vector register: 16, 8, 4 or 1
//   CK_INTERLEAVED        whether the panels of a block lie side by side, for tiles of at least four panels
//   CK_TILE_ROWS       rows of the tallest tile of floats
//   CK_TILE_SUMS       registers of sums of such tiles; the others hold weights and inputs
//   CK_DOT_ROWS, CK_DOT_SUMS  the same for tiles of bytes
//   CK_DOT_…           how bytes are multiplied: see dot.h
//
// Compiled with contraction off: a multiply-add is fused where `fma_` says so and nowhere else.
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "CKernels.h"

#pragma STDC FP_CONTRACT OFF
// The warning is about passing wide vectors to calls; all such calls here are inlined.
#pragma clang diagnostic ignored "-Wpsabi"

#include "vector.h"

/// How far ahead a tile prefetches its weights, in bytes.
#define CK_AHEAD 16384
/// The bytes of a cache line.
#define CK_LINE 64

#define CK_EXP_LOW (-87.3f)
#define CK_EXP_HIGH 88.0f
#define CK_TANH_HIGH 9.02f
#define CK_SHIFT 0x1.8p23f

#define CK_V vf
#define CK_U vu
#include "activations.h"
#undef CK_V
#undef CK_U
#define CK_V vg
#define CK_U vgu
#include "activations.h"
#undef CK_V
#undef CK_U

#include "activated.h"
#include "cells.h"
#include "tiling.h"

// --- Tiles of f32 weights ---

#define CK_AT(x) x##_f32
#define CK_INTEGER 0
// The values of k that one iteration of a tile's loop takes. One k of AVX2 or NEON is only a dozen multiply-adds: to
// update the addresses and the counter for each would cost half as much again. f16 takes one, since converted weights
// need registers.
#define CK_STEPS_AT_ONCE ((size_t)(CK_INTERLEAVED ? 1 : 4))
#define weight_t float
CK_INLINE vf column_f32(const float *weights) { return load(weights); }
#include "tiles.h"

// --- Tiles of f16 weights ---

#define CK_AT(x) x##_f16
#define CK_INTEGER 0
#define CK_STEPS_AT_ONCE ((size_t)1)
#define weight_t uint16_t
CK_INLINE vf column_f16(const uint16_t *weights) { return widened(weights); }
#include "tiles.h"

// --- Tiles of int8 weights ---

#include "dot.h"
#define CK_AT(x) x##_i8
#define CK_INTEGER 1
#define CK_STEP CK_DOT_STEP
#define CK_STEPS_AT_ONCE (CK_I8_STEP / CK_DOT_STEP)
#define CK_ROWS CK_DOT_ROWS
#define CK_SUMS CK_DOT_SUMS
#define weight_t int8_t
#define input_t dot_input
#include "tiles.h"

#if CK_DOT_WORDS
#include "words.h"
#define CK_BYTES(routine) routine##_of_words
#else
#define CK_BYTES(routine) routine##_i8
#endif

/// The largest magnitude of a row, as the bits of a float; the bits of an infinity or NaN compare as larger than any
/// other.
CK_INLINE uint32_t largest_magnitude(const float *values, size_t count) {
  uint32_t largest = 0;
  for (size_t k = 0; k < count; k++) {
    uint32_t bits;
    memcpy(&bits, values + k, sizeof bits);
    bits &= 0x7fffffff;
    largest = bits > largest ? bits : largest;
  }
  return largest;
}

/// The least magnitude by which 127 can be divided without overflow; a row whose largest is below it counts as zero.
#define CK_I8_LEAST 0x1p-119f

static void quantize(
    const float *values, size_t rows, size_t depth, size_t stride, float least, uint8_t *bytes,
    size_t bytes_stride, float *scales) {
  for (size_t row = 0; row < rows; row++, values += stride, bytes += bytes_stride) {
    const uint32_t bits = largest_magnitude(values, depth);
    const bool finite = bits < 0x7f800000;
    float largest;
    memcpy(&largest, &bits, sizeof largest);
    if (finite && largest < least) largest = least;
    const bool some = finite && largest >= CK_I8_LEAST;
    const float factor = some ? CK_I8_MAX / largest : 0;
    scales[row] = some ? largest / CK_I8_MAX : finite ? 0 : largest;
    size_t k = 0;
    for (; k + CK_WIDTH <= depth; k += CK_WIDTH) {
      const vb some_bytes = rounded_bytes(load(values + k), factor);
      memcpy(bytes + k, &some_bytes, CK_WIDTH);
    }
    if (k < depth) {
      const vb some_bytes = rounded_bytes(load_some(values + k, depth - k), factor);
      memcpy(bytes + k, &some_bytes, depth - k);
    }
  }
}

// --- Element by element, and row by row ---

#define CK_IN_PLACE(name, function)                         \
  static void name(float *values, size_t count) {           \
    size_t at = 0;                                          \
    for (; at + CK_WIDTH <= count; at += CK_WIDTH) {        \
      store(values + at, function(load(values + at)));      \
    }                                                       \
    if (at < count) {                                       \
      vf rest = load_some(values + at, count - at);         \
      store_some(values + at, function(rest), count - at);  \
    }                                                       \
  }

CK_IN_PLACE(sigmoid_all, sigmoid_)
CK_IN_PLACE(tanh_all, tanh_)
CK_IN_PLACE(relu_all, relu_)
CK_IN_PLACE(exp_all, exp_)

static void activate_all(const ck_activation *activation, float *values, size_t count) {
  for (size_t at = 0; at < count; at += CK_WIDTH) {
    const size_t some = count - at;
    store_some(values + at, activated(activation, load_some(values + at, some)), some);
  }
}

/// Adds up to CK_LANES floats to as many partial sums, in double, since a row may be as long as a sequence.
CK_INLINE void add_to_lanes(double *lanes, const float *values, size_t count) {
  for (size_t l = 0; l < count; l++) lanes[l] += (double)values[l];
}

/// The total of the partial sums, added from first to last.
static double sum_of_lanes(const double *lanes) {
  double sum = 0;
  for (size_t l = 0; l < CK_LANES; l++) sum += lanes[l];
  return sum;
}

/// The sum of a row, in the same order for every variant: CK_LANES partial sums, then their total; rounded once.
static float sum_in_lanes(const float *values, size_t count) {
  double lanes[CK_LANES] = {0};
  size_t at = 0;
  for (; at + CK_LANES <= count; at += CK_LANES) add_to_lanes(lanes, values + at, CK_LANES);
  add_to_lanes(lanes, values + at, count - at);
  return (float)sum_of_lanes(lanes);
}

/// Subtracts a row's maximum, so that no exponential overflows.
static void subtract_maximum(float *row, size_t columns) {
  float maximum = row[0];
  for (size_t i = 1; i < columns; i++) maximum = row[i] > maximum ? row[i] : maximum;
  for (size_t i = 0; i < columns; i++) row[i] -= maximum;
}

static void softmax(float *values, size_t rows, size_t columns, size_t stride) {
  if (columns == 0) return;
  for (float *row = values; rows-- > 0; row += stride) {
    subtract_maximum(row, columns);
    exp_all(row, columns);
    float sum = sum_in_lanes(row, columns);
    for (size_t i = 0; i < columns; i++) row[i] /= sum;
  }
}

/// ln x for normal x > 0, correct to f32; NaN for NaN: m · 2ⁿ with m in [√½, √2), ln m = 2 artanh((m − 1) / (m + 1)).
/// In double, by plain operations only: a mathematics library's answer may differ from CPU to CPU.
static float natural_logarithm(float x) {
  if (x != x) return x;
  int32_t bits;
  memcpy(&bits, &x, sizeof bits);
  int32_t exponent = ((bits - 0x3f3504f3) >> 23);
  bits -= exponent * (1 << 23);
  float mantissa;
  memcpy(&mantissa, &bits, sizeof mantissa);
  double s = ((double)mantissa - 1) / ((double)mantissa + 1), s2 = s * s, series = 0;
  for (int k = 17; k >= 1; k -= 2) series = series * s2 + 1.0 / k;
  return (float)(exponent * 0.69314718055994530942 + 2 * s * series);
}

static void log_softmax(float *values, size_t rows, size_t columns, size_t stride) {
  if (columns == 0) return;
  for (float *row = values; rows-- > 0; row += stride) {
    subtract_maximum(row, columns);
    double lanes[CK_LANES] = {0};
    for (size_t start = 0; start < columns; start += CK_LANES) {
      size_t count = columns - start < CK_LANES ? columns - start : CK_LANES;
      float part[CK_LANES];
      memcpy(part, row + start, count * sizeof *part);
      exp_all(part, count);
      add_to_lanes(lanes, part, count);
    }
    float logarithm = natural_logarithm((float)sum_of_lanes(lanes));
    for (size_t i = 0; i < columns; i++) row[i] -= logarithm;
  }
}

// --- Scores of attention ---

/// The number of keys whose products are computed together.
#define CK_DOTS 2

// A product of two floats is exact in double; sums are in the order of sum_in_lanes.

CK_INLINE void add_products(double *lanes, const float *a, const float *b) {
  for (size_t l = 0; l < CK_LANES; l++) lanes[l] += (double)a[l] * (double)b[l];
}

/// Products of a query with several keys together, so that each element of the query is widened once.
CK_INLINE void dot_some(
    const int keys_at_once, const float *query, const float *keys, size_t size, double *scores) {
  double lanes[CK_DOTS][CK_LANES] = {0};
  size_t at = 0;
  for (; at + CK_LANES <= size; at += CK_LANES) {
    CK_UNROLL for (int key = 0; key < keys_at_once; key++) {
      add_products(lanes[key], query + at, keys + (size_t)key * size + at);
    }
  }
  for (int key = 0; key < keys_at_once; key++) {
    float q[CK_LANES] = {0}, k[CK_LANES] = {0};
    memcpy(q, query + at, (size - at) * sizeof *q);
    memcpy(k, keys + (size_t)key * size + at, (size - at) * sizeof *k);
    add_products(lanes[key], q, k);
    scores[key] = sum_of_lanes(lanes[key]);
  }
}

static void dot_scores(
    const float *query, const float *keys, size_t count, size_t size, double *scores) {
  size_t key = 0;
  for (; key + CK_DOTS <= count; key += CK_DOTS) {
    dot_some(CK_DOTS, query, keys + key * size, size, scores + key);
  }
  for (; key < count; key++) dot_some(1, query, keys + key * size, size, scores + key);
}

static void additive_scores(
    const float *query, const float *weight, const float *keys, size_t count, size_t size,
    double *scores) {
  for (; count-- > 0; keys += size, scores++) {
    double lanes[CK_LANES] = {0};
    for (size_t start = 0; start < size; start += CK_LANES) {
      float shown[CK_LANES], factor[CK_LANES];
      for (size_t part = 0; part < CK_LANES; part += CK_WIDTH) {
        const size_t at = start + part, some = lanes_left(size, at);
        store(shown + part, tanh_(load_some(query + at, some) + load_some(keys + at, some)));
        store(factor + part, load_some(weight + at, some));
      }
      add_products(lanes, factor, shown);
    }
    *scores = sum_of_lanes(lanes);
  }
}

// --- Labels ---

/// Does not keep which label a maximum comes from: the way back from the last label computes that again, once a step.
static void best_scores(
    const double *scores, const float *transitions, const float *emissions, size_t count,
    double *next) {
  for (size_t to = 0; to < count; to += CK_LANES) {
    double best[CK_LANES];
    for (size_t l = 0; l < CK_LANES; l++) best[l] = -INFINITY;
    for (size_t from = 0; from < count; from++, transitions += CK_LANES) {
      for (size_t l = 0; l < CK_LANES; l++) {
        const double score = scores[from] + (double)transitions[l];
        best[l] = score > best[l] ? score : best[l];
      }
    }
    const size_t some = count - to < CK_LANES ? count - to : CK_LANES;
    for (size_t l = 0; l < some; l++) next[to + l] = best[l] + (double)emissions[to + l];
  }
}

// --- For benchmarks ---

#define CK_CHAINS CK_TILE_SUMS

static float fma_all(size_t count) {
  // Volatile, so that the compiler can't compute the loop at compile time.
  volatile float factor = 0.999f, term = 1e-3f;
  const vf x = (vf)factor, y = (vf)term;
  vf chain[CK_CHAINS];
  CK_UNROLL for (int i = 0; i < CK_CHAINS; i++) chain[i] = (vf)(float)i;
  for (size_t n = 0; n < count; n++) {
    CK_UNROLL for (int i = 0; i < CK_CHAINS; i++) chain[i] = fma_(chain[i], x, y);
  }
  vf sum = chain[0];
  CK_UNROLL for (int i = 1; i < CK_CHAINS; i++) sum += chain[i];
  float lanes[CK_WIDTH];
  store(lanes, sum);
  return sum_in_lanes(lanes, CK_WIDTH);
}

static uint32_t read_all(const void *memory, size_t count) {
  const char *from = memory;
  vu sum[8] = {0};
  for (size_t at = 0; at < count; at += sizeof sum) {
    CK_UNROLL for (size_t i = 0; i < 8; i++) {
      vu some;
      memcpy(&some, from + at + i * sizeof some, sizeof some);
      sum[i] += some;
    }
  }
  uint32_t lanes[8 * CK_WIDTH], total = 0;
  memcpy(lanes, sum, sizeof lanes);
  for (size_t i = 0; i < 8 * CK_WIDTH; i++) total += lanes[i];
  return total;
}

#define CK_TABLE(isa_, name_)                                                                   \
  {                                                                                             \
    .isa = isa_, .name = name_, .panels_interleaved = CK_INTERLEAVED, .i8_step = CK_DOT_STEP,   \
    .gemm_f32 = gemm_f32, .gemm_f16 = gemm_f16, .gemm_i8 = CK_BYTES(gemm), .step_f32 = step_f32,\
    .step_f16 = step_f16, .step_i8 = CK_BYTES(step), .quantize = quantize,                      \
    .sigmoid_f32 = sigmoid_all,                                                                 \
    .tanh_f32 = tanh_all, .relu_f32 = relu_all, .exp_f32 = exp_all,                             \
    .activate_f32 = activate_all, .softmax_f32 = softmax, .log_softmax_f32 = log_softmax,       \
    .dot_scores = dot_scores, .additive_scores = additive_scores, .best_scores = best_scores,   \
    .fma_f32 = fma_all, .fma_flops = (size_t)2 * CK_CHAINS * CK_WIDTH, .read = read_all         \
  }
