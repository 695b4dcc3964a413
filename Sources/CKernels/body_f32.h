// The routines, once. Included by each variant, which defines
//   CK_WIDTH        floats in a vector register: 16, 8 or 1
//   CK_TILE_ROWS    rows of the widest tile
//   CK_NAME(x)      the variant's name for x
//
// Compiled with contraction off: a multiply-add is fused where `fma_` says so and nowhere else.
#include <stdint.h>
#include <string.h>

#include "CKernels.h"

#pragma STDC FP_CONTRACT OFF

#define CK_INLINE static inline __attribute__((always_inline))
#define CK_UNROLL _Pragma("clang loop unroll(full)")

/// Registers a panel.
#define CK_PARTS ((int)(CK_LANES / CK_WIDTH))

#if CK_WIDTH > 1
typedef float vf __attribute__((ext_vector_type(CK_WIDTH)));
typedef int32_t vi __attribute__((ext_vector_type(CK_WIDTH)));
typedef uint32_t vu __attribute__((ext_vector_type(CK_WIDTH)));
CK_INLINE vf select_(vi condition, vf yes, vf no) { return condition ? yes : no; }
CK_INLINE vf splat(float x) { return (vf)x; }
#else
typedef float vf;
typedef uint32_t vu;
CK_INLINE vf select_(int condition, vf yes, vf no) { return condition ? yes : no; }
CK_INLINE vf splat(float x) { return x; }
#endif

CK_INLINE vf fma_(vf a, vf b, vf c) { return __builtin_elementwise_fma(a, b, c); }

CK_INLINE vf load(const float *p) {
  vf v;
  memcpy(&v, p, sizeof v);
  return v;
}

CK_INLINE void store(float *p, vf v) { memcpy(p, &v, sizeof v); }

/// NaN passes through: every comparison with it is false.
CK_INLINE vf clamp(vf x, float low, float high) {
  x = select_(x < splat(low), splat(low), x);
  return select_(x > splat(high), splat(high), x);
}

// --- Activations ---

/// eˣ = 2ⁿ (1 + p), n the integer nearest x / ln 2; p = e^r − 1 for the rest r, |r| ≤ ln 2 / 2.
///
/// p = r + r² q(r), q of degree 4 by the Remez exchange for the least relative error of p: 1.4e-8.
/// The domain is [CK_EXP_LOW, CK_EXP_HIGH], where 2ⁿ is a normal number.
typedef struct {
  vf scale, fraction;
} power;

#define CK_EXP_LOW (-87.3f)
#define CK_EXP_HIGH 88.0f

CK_INLINE power power_of_e(vf x) {
  // Adding 1.5·2²³ leaves the nearest integer in the low bits (Hacker's Delight, chapter 17).
  const vf magic = splat(0x1.8p23f);
  vf shifted = fma_(x, splat(0x1.715476p+0f), magic);  // 1 / ln 2
  vu bits;
  memcpy(&bits, &shifted, sizeof bits);
  vf n = shifted - magic;
  // ln 2 in two parts: the first has 15 bits, so its product with n is exact.
  vf r = fma_(n, splat(-0x1.62e4p-1f), x);
  r = fma_(n, splat(-0x1.7f7d1cp-20f), r);
  vf q = splat(0x1.6bec06p-10f);
  q = fma_(q, r, splat(0x1.122776p-7f));
  q = fma_(q, r, splat(0x1.555674p-5f));
  q = fma_(q, r, splat(0x1.5554bp-3f));
  q = fma_(q, r, splat(0x1.fffffep-2f));
  power result;
  result.fraction = fma_(r * r, q, r);
  bits = (bits + 127) << 23;
  memcpy(&result.scale, &bits, sizeof bits);
  return result;
}

CK_INLINE vf exp_(vf x) {
  power e = power_of_e(clamp(x, CK_EXP_LOW, CK_EXP_HIGH));
  return fma_(e.scale, e.fraction, e.scale);
}

/// e²ˣ − 1 for the hyperbolic tangent: tanh x = E / (E + 2). Beyond ±9.02 tanh rounds to ±1.
CK_INLINE vf tanh_numerator(vf x) {
  x = clamp(x, -9.02f, 9.02f);
  power e = power_of_e(x + x);
  return fma_(e.scale, e.fraction, e.scale - splat(1));
}

CK_INLINE vf sigmoid_denominator(vf x) { return splat(1) + exp_(-x); }

CK_INLINE vf sigmoid_(vf x) { return splat(1) / sigmoid_denominator(x); }

CK_INLINE vf tanh_(vf x) {
  vf e = tanh_numerator(x);
  return e / (e + splat(2));
}

CK_INLINE vf relu_(vf x) { return select_(x < splat(0), splat(0), x); }

/// The cell. i·g and o·tanh(c') each share one division. f keeps its own: a forget gate that is open
/// rounds to exactly 1, and the carousel then carries c unchanged to the bit, for any number of steps.
CK_INLINE void cell_update(vf i, vf f, vf g, vf o, vf *c, vf *h) {
  vf candidate = tanh_numerator(g);
  vf written = candidate / (sigmoid_denominator(i) * (candidate + splat(2)));
  *c = fma_(sigmoid_(f), *c, written);
  vf shown = tanh_numerator(*c);
  *h = shown / (sigmoid_denominator(o) * (shown + splat(2)));
}

// --- Tiles ---

/// acc[row][panel] += input[row][k] · weights[k][panel], k ascending.
CK_INLINE void accumulate(
    const int rows, const int blocks, const int panels, vf acc[][4], const float *restrict input,
    size_t input_stride, const float *restrict weights, size_t block_size, size_t depth) {
  for (size_t k = 0; k < depth; k++) {
    CK_UNROLL for (int b = 0; b < blocks; b++) {
      const float *w = weights + (size_t)b * block_size + k * (size_t)panels * CK_LANES;
      vf column[4];
      CK_UNROLL for (int p = 0; p < panels; p++) column[p] = load(w + (size_t)p * CK_LANES);
      CK_UNROLL for (int r = 0; r < rows; r++) {
        vf x = splat(input[(size_t)r * input_stride + k]);
        CK_UNROLL for (int p = 0; p < panels; p++) {
          acc[b * rows + r][p] = fma_(column[p], x, acc[b * rows + r][p]);
        }
      }
    }
  }
}

/// Copies a register of outputs, of which `count` floats (up to CK_WIDTH) exist.
CK_INLINE void store_some(float *p, vf v, size_t count) {
  if (count >= CK_WIDTH) {
    store(p, v);
  } else {
    float lanes[CK_WIDTH];
    store(lanes, v);
    for (size_t l = 0; l < count; l++) p[l] = lanes[l];
  }
}

CK_INLINE vf load_some(const float *p, size_t count) {
  if (count >= CK_WIDTH) return load(p);
  float lanes[CK_WIDTH] = {0};
  for (size_t l = 0; l < count; l++) lanes[l] = p[l];
  return load(lanes);
}

CK_INLINE size_t lanes_left(size_t columns, size_t start) {
  return columns > start ? columns - start : 0;
}

CK_INLINE void gemm_tile(
    const int rows, const int panels, const ck_gemm *g, size_t row, size_t column) {
  const float *weights = g->weights + column * g->depth;
  for (int part = 0; part < CK_PARTS; part++) {
    const size_t lane = (size_t)part * CK_WIDTH;
    vf acc[CK_TILE_ROWS][4];
    CK_UNROLL for (int r = 0; r < rows; r++) {
      CK_UNROLL for (int p = 0; p < panels; p++) {
        acc[r][p] = load(g->bias + column + (size_t)p * CK_LANES + lane);
      }
    }
    accumulate(
        rows, 1, panels, acc, g->input + row * g->input_stride, g->input_stride, weights + lane, 0,
        g->depth);
    CK_UNROLL for (int r = 0; r < rows; r++) {
      float *out = g->output + (row + (size_t)r) * g->output_stride;
      CK_UNROLL for (int p = 0; p < panels; p++) {
        size_t start = column + (size_t)p * CK_LANES + lane;
        store_some(out + start, acc[r][p], lanes_left(g->columns, start));
      }
    }
  }
}

CK_INLINE void gemm_rows(const int panels, const ck_gemm *g, size_t column) {
  size_t row = 0;
  for (; row + CK_TILE_ROWS <= g->rows; row += CK_TILE_ROWS) {
    gemm_tile(CK_TILE_ROWS, panels, g, row, column);
  }
  switch (g->rows - row) {
#if CK_TILE_ROWS > 5
    case 5: gemm_tile(5, panels, g, row, column); break;
    case 4: gemm_tile(4, panels, g, row, column); break;
    case 3: gemm_tile(3, panels, g, row, column); break;
#endif
    case 2: gemm_tile(2, panels, g, row, column); break;
    case 1: gemm_tile(1, panels, g, row, column); break;
    default: break;
  }
}

static void CK_NAME(gemm)(const ck_gemm *g) {
  const size_t packed = ck_packed_columns(g->columns);
  const size_t block = CK_BLOCK_PANELS * CK_LANES;
  size_t column = 0;
  for (; column + block <= packed; column += block) gemm_rows(4, g, column);
  switch ((packed - column) / CK_LANES) {
    case 3: gemm_rows(3, g, column); break;
    case 2: gemm_rows(2, g, column); break;
    case 1: gemm_rows(1, g, column); break;
    default: break;
  }
}

CK_INLINE void lstm_tile(
    const int rows, const int blocks, const ck_lstm_step *s, size_t row, size_t block) {
  const size_t block_columns = CK_BLOCK_PANELS * CK_LANES;
  const size_t column = block * block_columns;
  for (int part = 0; part < CK_PARTS; part++) {
    const size_t lane = (size_t)part * CK_WIDTH;
    vf acc[CK_TILE_ROWS][4];
    CK_UNROLL for (int b = 0; b < blocks; b++) {
      CK_UNROLL for (int r = 0; r < rows; r++) {
        const float *start =
            s->projected ? s->projected + (row + (size_t)r) * s->projected_stride : s->bias;
        CK_UNROLL for (int p = 0; p < 4; p++) {
          size_t at = column + (size_t)b * block_columns + (size_t)p * CK_LANES + lane;
          acc[b * rows + r][p] = load(start + at);
        }
      }
    }
    if (!s->projected) {
      accumulate(
          rows, blocks, 4, acc, s->input + row * s->input_stride, s->input_stride,
          s->input_weights + column * s->input_size + lane, block_columns * s->input_size,
          s->input_size);
    }
    accumulate(
        rows, blocks, 4, acc, s->hidden + row * s->hidden_stride, s->hidden_stride,
        s->recurrent_weights + column * s->recurrent_size + lane,
        block_columns * s->recurrent_size, s->recurrent_size);
    CK_UNROLL for (int b = 0; b < blocks; b++) {
      const size_t unit = (block + (size_t)b) * CK_LANES + lane;
      const size_t left = lanes_left(s->hidden_size, unit);
      CK_UNROLL for (int r = 0; r < rows; r++) {
        float *cell = s->cell + (row + (size_t)r) * s->cell_stride + unit;
        float *output = s->output + (row + (size_t)r) * s->output_stride + unit;
        vf *a = acc[b * rows + r];
        vf c = load_some(cell, left), h;
        cell_update(a[0], a[1], a[2], a[3], &c, &h);
        store_some(cell, c, left);
        store_some(output, h, left);
      }
    }
  }
}

/// The blocks that tiles of `rows` rows leave registers for, side by side: enough sums under way to
/// hide the latency of one.
#define CK_TILE_BLOCKS(rows) (CK_TILE_ROWS / (rows))

CK_INLINE void lstm_blocks(const int rows, const ck_lstm_step *s, size_t row) {
  const size_t count = ck_packed_gate_columns(s->hidden_size) / (CK_BLOCK_PANELS * CK_LANES);
  size_t block = 0;
  for (; block + CK_TILE_BLOCKS(rows) <= count; block += CK_TILE_BLOCKS(rows)) {
    lstm_tile(rows, CK_TILE_BLOCKS(rows), s, row, block);
  }
  for (; block < count; block++) lstm_tile(rows, 1, s, row, block);
}

static void CK_NAME(lstm_step)(const ck_lstm_step *s) {
  const size_t count = ck_packed_gate_columns(s->hidden_size) / (CK_BLOCK_PANELS * CK_LANES);
  const size_t whole = s->rows - s->rows % CK_TILE_ROWS;
  // A block's weights stay in the nearest cache while the row tiles pass over them.
  for (size_t block = 0; block < count; block++) {
    for (size_t row = 0; row < whole; row += CK_TILE_ROWS) {
      lstm_tile(CK_TILE_ROWS, 1, s, row, block);
    }
  }
  switch (s->rows - whole) {
#if CK_TILE_ROWS > 5
    case 5: lstm_blocks(5, s, whole); break;
    case 4: lstm_blocks(4, s, whole); break;
    case 3: lstm_blocks(3, s, whole); break;
#endif
    case 2: lstm_blocks(2, s, whole); break;
    case 1: lstm_blocks(1, s, whole); break;
    default: break;
  }
}

// --- Element by element, and row by row ---

#define CK_IN_PLACE(name, function)                            \
  static void CK_NAME(name)(float *values, size_t count) {     \
    size_t at = 0;                                             \
    for (; at + CK_WIDTH <= count; at += CK_WIDTH) {           \
      store(values + at, function(load(values + at)));         \
    }                                                          \
    if (at < count) {                                          \
      vf rest = load_some(values + at, count - at);            \
      store_some(values + at, function(rest), count - at);     \
    }                                                          \
  }

CK_IN_PLACE(sigmoid, sigmoid_)
CK_IN_PLACE(tanh, tanh_)
CK_IN_PLACE(relu, relu_)
CK_IN_PLACE(exp, exp_)

/// The sum of a row in one order for every variant: CK_LANES partial sums, added from first to last.
CK_INLINE float sum_in_lanes(const float *values, size_t count) {
  float lanes[CK_LANES] = {0}, sum = 0;
  for (size_t i = 0; i < count; i++) lanes[i % CK_LANES] += values[i];
  for (size_t l = 0; l < CK_LANES; l++) sum += lanes[l];
  return sum;
}

/// Subtracts a row's maximum, so that no exponential overflows.
CK_INLINE void subtract_maximum(float *row, size_t columns) {
  float maximum = row[0];
  for (size_t i = 1; i < columns; i++) maximum = row[i] > maximum ? row[i] : maximum;
  for (size_t i = 0; i < columns; i++) row[i] -= maximum;
}

static void CK_NAME(softmax)(float *values, size_t rows, size_t columns, size_t stride) {
  if (columns == 0) return;
  for (float *row = values; rows-- > 0; row += stride) {
    subtract_maximum(row, columns);
    CK_NAME(exp)(row, columns);
    float sum = sum_in_lanes(row, columns);
    for (size_t i = 0; i < columns; i++) row[i] /= sum;
  }
}

/// ln x for normal x > 0, correct to f32; NaN for NaN: m · 2ⁿ with m in [√½, √2), ln m = 2 artanh((m − 1) / (m + 1)).
/// In double, by plain operations only: a mathematics library's answer may differ from CPU to CPU.
CK_INLINE float natural_logarithm(float x) {
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

static void CK_NAME(log_softmax)(float *values, size_t rows, size_t columns, size_t stride) {
  if (columns == 0) return;
  for (float *row = values; rows-- > 0; row += stride) {
    subtract_maximum(row, columns);
    float lanes[CK_LANES] = {0}, sum = 0;
    for (size_t start = 0; start < columns; start += CK_LANES) {
      size_t count = columns - start < CK_LANES ? columns - start : CK_LANES;
      float part[CK_LANES];
      memcpy(part, row + start, count * sizeof *part);
      CK_NAME(exp)(part, count);
      for (size_t l = 0; l < count; l++) lanes[l] += part[l];
    }
    for (size_t l = 0; l < CK_LANES; l++) sum += lanes[l];
    float logarithm = natural_logarithm(sum);
    for (size_t i = 0; i < columns; i++) row[i] -= logarithm;
  }
}

#define CK_TABLE(isa_, name_)                                                                  \
  {                                                                                            \
    .isa = isa_, .name = name_, .gemm_f32 = CK_NAME(gemm), .lstm_step_f32 = CK_NAME(lstm_step), \
    .sigmoid_f32 = CK_NAME(sigmoid), .tanh_f32 = CK_NAME(tanh), .relu_f32 = CK_NAME(relu),      \
    .exp_f32 = CK_NAME(exp), .softmax_f32 = CK_NAME(softmax),                                   \
    .log_softmax_f32 = CK_NAME(log_softmax)                                                     \
  }
