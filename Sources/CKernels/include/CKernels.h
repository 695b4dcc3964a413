// The compute routines of an LSTM on the CPU, one variant an instruction set, picked at run time.
//
// Every variant gives the same bits. An output unit accumulates in one order — bias, then inputs by
// index, then hidden units by index — with one fused multiply-add a term (or exactly, in integers), and
// the activations are the same operations everywhere, so neither the instruction set nor the shape of the
// batch shows in a result.
//
// Matrices are row-major; a stride counts elements from one row to the next. No routine allocates,
// and none reads or writes past the sizes that it is given. Outputs never overlap inputs, unless said so.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Columns side by side in a packed panel: one AVX-512 register of sums, two of AVX2, four of NEON.
#define CK_LANES ((size_t)16)
/// Panels in a packed block: one a gate, in the order i f g o.
#define CK_BLOCK_PANELS ((size_t)4)
/// Bytes that an int8 routine takes at a step; rows of them are padded to a multiple.
#define CK_I8_STEP ((size_t)4)
/// The most inputs of an int8 routine: sums of as many products of int8 fit 32 bits.
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

/// What weights are stored as. Bias, cell and gate arithmetic are f32 throughout.
typedef enum {
  CK_F32 = 0,
  /// IEEE half precision, widened to f32 as it is read: f32's result for the rounded weights.
  CK_F16 = 1,
  /// One scale an output, symmetric, and inputs quantised by `quantize`; sums are exact.
  CK_I8 = 2,
} ck_precision;

/// Packed weights, by ck_pack_columns or ck_pack_gates.
typedef struct {
  /// ck_packed_bytes of them.
  const void *panels;
  /// int8 only: the scale of each packed column, and −128 times the sum of its weights.
  const float *scales;
  const int32_t *offsets;
} ck_weights;

/// Inputs, a row a sequence.
typedef struct {
  /// rows × depth of float; for int8 weights of uint8_t, by `quantize`.
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
  const float *bias;  // one a packed column
  float *output;      // rows × columns
  size_t output_stride;
} ck_gemm;

/// One step of an LSTM over `rows` sequences.
///
/// i = σ(W_i x + R_i h + b_i)   f = σ(W_f x + R_f h + b_f)   g = tanh(W_g x + R_g h + b_g)
/// o = σ(W_o x + R_o h + b_o)   c' = f ⊙ c + i ⊙ g           h' = o ⊙ tanh(c')
typedef struct {
  size_t rows, recurrent_size, hidden_size;
  const float *projected;  // b + W x, in packed gate columns: ck_gemm with weights of ck_pack_gates
  size_t projected_stride;
  ck_inputs hidden;    // rows × recurrent_size
  ck_weights weights;  // R, by ck_pack_gates
  float *cell;         // rows × hidden_size, updated in place
  size_t cell_stride;
  float *output;  // rows × hidden_size: h'
  size_t output_stride;
  /// int8 only, or NULL: h' as `quantize` gives it at a `least` of 1, without its scales, which are all
  /// 1 / CK_I8_MAX; for a NaN any byte.
  uint8_t *quantized;
  size_t quantized_stride;
  /// Visits the units from last to first. A caller that alternates finds in its cache what the step
  /// before read last.
  bool backward;
} ck_lstm_step;

/// The routines of one instruction set: constant, for any thread.
typedef struct __attribute__((swift_attr("@Sendable"))) {
  ck_isa isa;
  const char *name;
  /// How it takes packed weights: the panels of a block side by side, or one after the other.
  bool panels_together;
  void (*gemm_f32)(const ck_gemm *);
  /// f16 and int8: `columns` are packed gate columns.
  void (*gemm_f16)(const ck_gemm *);
  void (*gemm_i8)(const ck_gemm *);
  void (*lstm_step_f32)(const ck_lstm_step *);
  void (*lstm_step_f16)(const ck_lstm_step *);
  void (*lstm_step_i8)(const ck_lstm_step *);
  /// Rounds rows to int8, ties to even, and adds 128. A row's scale, the 127th part of its largest
  /// magnitude or of `least` if that is larger, goes to `scales`; a row that holds an infinity or a NaN
  /// gets that for its scale. `quantized` has a stride of at least depth.
  void (*quantize)(
      const float *values, size_t rows, size_t depth, size_t stride, float least,
      uint8_t *quantized, size_t quantized_stride, float *scales);
  /// In place over `count` floats.
  void (*sigmoid_f32)(float *values, size_t count);
  void (*tanh_f32)(float *values, size_t count);
  void (*relu_f32)(float *values, size_t count);
  void (*exp_f32)(float *values, size_t count);
  /// In place over each row of `rows` × `columns`, rows `stride` apart.
  void (*softmax_f32)(float *values, size_t rows, size_t columns, size_t stride);
  void (*log_softmax_f32)(float *values, size_t rows, size_t columns, size_t stride);
  /// For benchmarks. Runs `count` times fma_flops floating-point operations that wait for nothing
  /// but the multiply-add units; returns a number that depends on them all.
  float (*fma_f32)(size_t count);
  size_t fma_flops;
  /// For benchmarks. Reads `count` bytes, a multiple of 1024, once; returns a number that depends on them.
  uint32_t (*read)(const void *memory, size_t count);
} ck_kernels;

/// The variant for `isa`, or NULL where this CPU or build does not have it.
const ck_kernels *ck_kernels_for(ck_isa isa);

/// The fastest variant that this CPU has.
const ck_kernels *ck_kernels_best(void);

/// Packed columns of a matrix with `columns` outputs: rounded up to whole panels.
size_t ck_packed_columns(size_t columns);

/// Packed columns of the four gates of `hidden_size` units: rounded up to whole blocks.
size_t ck_packed_gate_columns(size_t hidden_size);

/// The bytes of the panels of `packed_columns` × `depth` weights.
size_t ck_packed_bytes(ck_precision precision, size_t packed_columns, size_t depth);

/// Packs `columns` × `depth` (one row an output, as PyTorch stores a weight) for `kernels` to use in ck_gemm:
/// [panel][depth][lane], or with `panels_together` [block][depth][panel][lane], the last block as many panels as it
/// needs; int8: [panel][depth / 4][lane][4] and [block][depth / 4][panel][lane][4]. What lies beyond the last column
/// or input is zero. Any block begins at the same byte in both.
///
/// `panels` takes ck_packed_bytes; int8 also fills `scales` and `offsets`, one a packed column (else
/// NULL). int8 takes at most CK_I8_MAX_DEPTH inputs; f16 rounds to nearest even, and what is beyond its
/// range becomes infinite. A row whose scale would be subnormal counts as zero in int8.
void ck_pack_columns(
    const ck_kernels *kernels, ck_precision precision, const float *matrix, size_t columns,
    size_t depth, void *panels, float *scales, int32_t *offsets);

/// Packs 4·hidden_size × `depth`, gates in the order i f g o, likewise, but so that the four panels of a block are
/// the gates of CK_LANES units.
void ck_pack_gates(
    const ck_kernels *kernels, ck_precision precision, const float *matrix, size_t hidden_size,
    size_t depth, void *panels, float *scales, int32_t *offsets);

/// For a loop that waits for another core: lets this one rest for some cycles.
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
