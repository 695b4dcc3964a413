// The compute routines of recurrent networks on the CPU: one variant for each instruction set, chosen at run time.
//
// Every variant gives the same bits: an output unit accumulates in one order — bias, then inputs by
// index, then hidden units by index — with one fused multiply-add a term (or exactly, in integers), and
// the activations are the same operations everywhere. Results depend neither on the instruction set nor
// on the shape of the batch.
//
// Matrices are row-major; a stride is the number of elements from one row to the next. No routine allocates
// or accesses memory past the given sizes. Outputs must not overlap inputs, except where said.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The number of columns in a packed panel: one AVX-512 register of sums, two of AVX2, four of NEON.
#define CK_LANES ((size_t)16)
/// The number of inputs that an int8 routine multiplies at a step; rows are padded to a multiple of it.
#define CK_I8_STEP ((size_t)4)
/// The most inputs of an int8 routine: the sum of so many products fits 32 bits.
#define CK_I8_MAX_DEPTH ((size_t)1 << 16)
/// The largest magnitude of a quantised value.
#define CK_I8_MAX 127

typedef enum {
  CK_ISA_SCALAR = 0,
  CK_ISA_AVX2 = 1,         // with FMA and F16C
  CK_ISA_AVX_VNNI = 2,     // AVX2 and its byte dot products
  CK_ISA_AVX512 = 3,       // F, BW, DQ and VL
  CK_ISA_AVX512_VNNI = 4,  // AVX-512 and its byte dot products
  CK_ISA_NEON = 5,
  CK_ISA_NEON_DOT = 6,  // NEON and its byte dot products
} ck_isa;
#define CK_ISA_COUNT 7

/// How weights are stored. Bias, cell and gate arithmetic are always f32.
typedef enum {
  CK_F32 = 0,
  /// IEEE half precision, widened to f32 as it is read: f32's result for the rounded weights.
  CK_F16 = 1,
  /// Symmetric int8 with one scale an output; inputs are quantised by `quantize`; sums are exact.
  CK_I8 = 2,
} ck_precision;

/// Packed weights, by ck_pack.
typedef struct {
  /// `ck_packed_bytes` bytes.
  const void *panels;
  /// int8 only: the scale of each packed column, and what the variant adds to its sums.
  const float *scales;
  const int32_t *offsets;
  /// The outputs of a unit, as given to ck_pack.
  size_t gates;
} ck_weights;

/// Inputs, one row for each sequence.
typedef struct {
  /// rows × depth: floats, or for int8 weights the uint8_t of `quantize`.
  const void *values;
  size_t stride;
  /// int8 only: the scale of each row, or NULL for 1 / CK_I8_MAX everywhere.
  const float *scales;
} ck_inputs;

/// `output = bias + input · weightsᵀ`: `rows` rows of `depth` inputs, `columns` outputs.
typedef struct {
  size_t rows, depth, columns;
  ck_inputs input;
  ck_weights weights;
  const float *bias;  // one for each packed column
  float *output;      // rows × columns
  size_t output_stride;
} ck_gemm;

// --- Activations ---

typedef enum {
  CK_SIGMOID = 0,
  CK_TANH = 1,
  CK_RELU = 2,
  CK_HARD_SIGMOID = 3,      // min(1, max(0, alpha x + beta))
  CK_HARD_TANH = 4,         // min(1, max(−1, x))
  CK_SOFTSIGN = 5,          // x / (1 + |x|)
  CK_SOFTPLUS = 6,          // ln(1 + eˣ)
  CK_ELU = 7,               // x < 0: alpha (eˣ − 1), else beta x; ELU with beta = 1, else SELU
  CK_LEAKY_RELU = 8,        // x < 0: alpha x, else x
  CK_THRESHOLDED_RELU = 9,  // x > alpha: x, else 0
  CK_SCALED_TANH = 10,      // alpha tanh(beta x)
  CK_AFFINE = 11,           // alpha x + beta
  CK_SILU = 12,             // x σ(x)
  CK_EXPONENTIAL = 13,      // eˣ
} ck_activation_kind;
#define CK_ACTIVATION_COUNT 14

/// A function of a float; a NaN passes through it.
typedef struct {
  ck_activation_kind kind;
  float alpha, beta;
} ck_activation;

// --- Cells ---

/// What a step computes. Each sum starts from b + W x and adds R h; f, g and a are the activations `gate`, `candidate` and
/// `output`.
typedef enum {
  /// Four gates, in the order i f g o:
  /// i = f(W_i x + R_i h + b_i + p_i c)   f = f(W_f x + R_f h + b_f + p_f c)   g = g(W_g x + R_g h + b_g)
  /// c' = f c + i g                       o = f(W_o x + R_o h + b_o + p_o c')  h' = o a(c')
  CK_LSTM = 0,
  /// Three gates, in the order r z n; the reset gate is applied after the product:
  /// r = f(W_r x + R_r h + b_r)   z = f(W_z x + R_z h + b_z)
  /// n = g(W_n x + b_n + r (R_n h + d_n))   h' = (1 − z) n + z h
  CK_GRU = 1,
  /// A GRU whose reset gate is applied before the product takes two calls for each step, since each unit needs r h of
  /// all units. This is the first call, which computes r and z: `output` gets r h, `update` gets z.
  CK_GRU_GATES = 2,
  /// The second call, with r h as `hidden`: n = g(W_n x + R_n (r h) + b_n), h' = (1 − z) n + z h.
  CK_GRU_CANDIDATE = 3,
  /// One gate: h' = g(W x + R h + b).
  CK_RNN = 4,
  /// One gate: h' = (W x + b) (R h + d), the intermediate state of a multiplicative LSTM.
  CK_PRODUCT = 5,
} ck_cell_kind;
#define CK_CELL_COUNT 6

typedef struct {
  ck_cell_kind kind;
  ck_activation gate, candidate, output;
  /// Bounds the arguments of gates and candidate, peepholes included, by ±clip; 0 for no bound.
  float clip;
  /// For an LSTM: whether the forget gate is coupled to the input gate, f = 1 − i.
  bool input_forget;
} ck_cell;

/// The default cell of a kind, with σ for gates and tanh for the rest; its code is the fastest.
static inline ck_cell ck_common_cell(ck_cell_kind kind) {
  const ck_activation tanh = {CK_TANH, 0, 0};
  const ck_cell cell = {kind, {CK_SIGMOID, 0, 0}, tanh, tanh, 0, false};
  return cell;
}

/// One step of a cell over `rows` sequences.
typedef struct {
  ck_cell cell;
  size_t rows, recurrent_size, hidden_size;
  const float *projected;  // b + W x, in packed columns: ck_gemm with weights of ck_pack
  size_t projected_stride;
  ck_inputs hidden;    // rows × recurrent_size
  ck_weights weights;  // R, packed with all gates of the cell
  /// d, in packed columns: for CK_PRODUCT, and for CK_GRU, which reads only the columns of n.
  const float *recurrent_bias;
  /// CK_LSTM: c, rows × hidden_size, updated in place.
  float *cell_state;
  size_t cell_state_stride;
  /// CK_LSTM: p, three rows (i, f, o) of hidden_size; or NULL.
  const float *peepholes;
  size_t peephole_stride;
  /// All kinds of GRU: h before the step as floats, rows × hidden_size.
  const float *previous;
  size_t previous_stride;
  /// z, which CK_GRU_GATES writes and CK_GRU_CANDIDATE reads: rows × hidden_size.
  float *update;
  size_t update_stride;
  float *output;  // rows × hidden_size: h'
  size_t output_stride;
  /// int8 only, or NULL: receives h' as bytes, like `quantize` with a `least` of 1, whose scales are then all 1 /
  /// CK_I8_MAX. h' has to lie within ±1; a NaN becomes any byte.
  uint8_t *quantized;
  size_t quantized_stride;
  /// Whether to visit the units from last to first. If steps alternate, each begins with the weights that the previous
  /// step left in the cache.
  bool backward;
} ck_step;

/// The routines of one instruction set: a constant table, which any thread may use.
typedef struct __attribute__((swift_attr("@Sendable"))) {
  ck_isa isa;
  const char *name;
  /// Whether packed weights have the panels of a block side by side; else one after the other.
  bool panels_interleaved;
  /// int8: how many weights of a column lie together, a divisor of CK_I8_STEP.
  size_t i8_step;
  void (*gemm_f32)(const ck_gemm *);
  /// `gemm_f16` and `gemm_i8` need `columns` to be whole panels; so does `gemm_f32` with more than one gate.
  void (*gemm_f16)(const ck_gemm *);
  void (*gemm_i8)(const ck_gemm *);
  void (*step_f32)(const ck_step *);
  void (*step_f16)(const ck_step *);
  void (*step_i8)(const ck_step *);
  /// Quantises rows to int8, ties to even, and adds 128. A row's scale is its largest magnitude, but at least
  /// `least`, divided by 127. The scale of a row with an infinity or a NaN is that value. The stride of
  /// `quantized` is at least depth.
  void (*quantize)(
      const float *values, size_t rows, size_t depth, size_t stride, float least,
      uint8_t *quantized, size_t quantized_stride, float *scales);
  /// Applied in place to `count` floats.
  void (*sigmoid_f32)(float *values, size_t count);
  void (*tanh_f32)(float *values, size_t count);
  void (*relu_f32)(float *values, size_t count);
  void (*exp_f32)(float *values, size_t count);
  void (*activate_f32)(const ck_activation *, float *values, size_t count);
  /// Applied in place to each of `rows` rows of `columns` floats, `stride` apart.
  void (*softmax_f32)(float *values, size_t rows, size_t columns, size_t stride);
  void (*log_softmax_f32)(float *values, size_t rows, size_t columns, size_t stride);
  /// Scores of attention, summed in double: query · key for each of `count` keys of `size` elements.
  void (*dot_scores)(
      const float *query, const float *keys, size_t count, size_t size, double *scores);
  /// The same with Σ weight · tanh(query + key).
  void (*additive_scores)(
      const float *query, const float *weight, const float *keys, size_t count, size_t size,
      double *scores);
  /// A step of Viterbi's algorithm over `count` labels, in double: next[to] is the largest of scores[from] +
  /// transition, plus emissions[to]. `transitions` is in the order [to / CK_LANES][from][to % CK_LANES]; the last block
  /// is padded.
  void (*best_scores)(
      const double *scores, const float *transitions, const float *emissions, size_t count,
      double *next);
  /// For benchmarks. Runs `count` times fma_flops floating-point operations that are limited only by the multiply-add
  /// units; returns a number that depends on them all.
  float (*fma_f32)(size_t count);
  size_t fma_flops;
  /// For benchmarks. Reads `count` bytes, a multiple of 1024, once; returns a number that depends on them.
  uint32_t (*read)(const void *memory, size_t count);
} ck_kernels;

/// The variant for `isa`, or NULL where this CPU or build lacks it.
const ck_kernels *ck_kernels_for(ck_isa isa);

/// The fastest variant for this CPU.
const ck_kernels *ck_kernels_best(void);

/// The units of a whole block. A unit has an output for each gate; the outputs of a plain matrix are units of one gate.
size_t ck_block_units(size_t gates);

/// The packed columns of `units` units: gates · units, rounded up to whole panels. A block begins at column
/// gates · its first unit.
size_t ck_packed_columns(size_t gates, size_t units);

/// The bytes of the panels of `packed_columns` × `depth` weights.
size_t ck_packed_bytes(ck_precision precision, size_t packed_columns, size_t depth);

/// Packs gates·units × `depth` weights (one row an output, gate by gate, as PyTorch stores them) for `kernels`.
///
/// A panel is CK_LANES outputs of one gate. A block is the panels of CK_LANES units or, with one gate, four panels; the
/// last block has as many as needed. In memory [panel][depth][lane], or with `panels_interleaved`
/// [block][depth][panel][lane]; int8: [panel][depth / s][lane][s] and [block][depth / s][panel][lane][s], where s is
/// `i8_step` and the depth is rounded up to CK_I8_STEP. Padding is zero. A block begins at the same byte in both layouts.
///
/// `panels` has to hold ck_packed_bytes. int8 also fills `scales` and `offsets`, one for each packed column (else
/// NULL). int8 allows at most CK_I8_MAX_DEPTH inputs. f16 rounds to nearest even; values beyond its range become
/// infinite. In int8 a row whose scale would be subnormal counts as zero.
void ck_pack(
    const ck_kernels *kernels, ck_precision precision, size_t gates, const float *matrix,
    size_t units, size_t depth, void *panels, float *scales, int32_t *offsets);

/// Pauses this core for some cycles; for loops that wait for another core.
static inline void ck_relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

#ifdef __cplusplus
}
#endif
#endif
