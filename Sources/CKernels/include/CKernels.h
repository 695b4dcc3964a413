// The compute routines of an LSTM on the CPU, one variant an instruction set, picked at run time.
//
// Every variant gives the same bits. An output unit accumulates in one order — bias, then inputs by
// index, then hidden units by index — with one fused multiply-add a term, and the activations are the
// same operations everywhere, so neither the instruction set nor the shape of the batch shows in a result.
//
// Matrices are row-major f32; a stride counts floats from one row to the next. No routine allocates,
// and none reads or writes past the sizes that it is given. Outputs never overlap inputs, unless said so.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Floats side by side in a packed panel: one AVX-512 register, two of AVX2.
#define CK_LANES ((size_t)16)
/// Panels in a packed block: one a gate, in the order i f g o.
#define CK_BLOCK_PANELS ((size_t)4)

typedef enum { CK_ISA_SCALAR = 0, CK_ISA_AVX2 = 1, CK_ISA_AVX512 = 2 } ck_isa;

/// `output = bias + input · weightsᵀ`: `rows` rows of `depth` inputs, `columns` outputs.
typedef struct {
  size_t rows, depth, columns;
  const float *input;    // rows × depth
  size_t input_stride;
  const float *weights;  // packed by ck_pack_columns or ck_pack_gates
  const float *bias;     // packed likewise: one float a packed column
  float *output;         // rows × columns
  size_t output_stride;
} ck_gemm;

/// One step of an LSTM over `rows` sequences.
///
/// i = σ(W_i x + R_i h + b_i)   f = σ(W_f x + R_f h + b_f)   g = tanh(W_g x + R_g h + b_g)
/// o = σ(W_o x + R_o h + b_o)   c' = f ⊙ c + i ⊙ g           h' = o ⊙ tanh(c')
typedef struct {
  size_t rows, input_size, recurrent_size, hidden_size;
  /// b + W x, already computed, in packed gate columns (ck_gemm with weights of ck_pack_gates); or
  /// NULL, and the step computes it from `input`, `input_weights` and `bias`: the same bits either way.
  const float *projected;
  size_t projected_stride;
  const float *input;          // rows × input_size
  size_t input_stride;
  const float *input_weights;  // packed by ck_pack_gates
  const float *bias;           // packed by ck_pack_gates, depth 1
  const float *hidden;         // rows × recurrent_size
  size_t hidden_stride;
  const float *recurrent_weights;  // packed by ck_pack_gates
  float *cell;                     // rows × hidden_size, updated in place
  size_t cell_stride;
  float *output;                   // rows × hidden_size: h'
  size_t output_stride;
} ck_lstm_step;

/// The routines of one instruction set: constant, for any thread.
typedef struct __attribute__((swift_attr("@Sendable"))) {
  ck_isa isa;
  const char *name;
  void (*gemm_f32)(const ck_gemm *);
  void (*lstm_step_f32)(const ck_lstm_step *);
  /// In place over `count` floats.
  void (*sigmoid_f32)(float *values, size_t count);
  void (*tanh_f32)(float *values, size_t count);
  void (*relu_f32)(float *values, size_t count);
  void (*exp_f32)(float *values, size_t count);
  /// In place over each row of `rows` × `columns`, rows `stride` apart.
  void (*softmax_f32)(float *values, size_t rows, size_t columns, size_t stride);
  void (*log_softmax_f32)(float *values, size_t rows, size_t columns, size_t stride);
} ck_kernels;

/// The variant for `isa`, or NULL where this CPU or build does not have it.
const ck_kernels *ck_kernels_for(ck_isa isa);

/// The fastest variant that this CPU has.
const ck_kernels *ck_kernels_best(void);

/// Packed columns of a matrix with `columns` outputs: rounded up to whole panels.
size_t ck_packed_columns(size_t columns);

/// Packed columns of the four gates of `hidden_size` units: rounded up to whole blocks.
size_t ck_packed_gate_columns(size_t hidden_size);

/// Packs `columns` × `depth` (one row an output, as PyTorch stores a weight) for ck_gemm:
/// [block][depth][panel][lane], the last block as many panels as it needs. `packed` holds
/// ck_packed_columns(columns) · depth floats; lanes beyond the last column are zero.
void ck_pack_columns(const float *matrix, size_t columns, size_t depth, float *packed);

/// Packs 4·hidden_size × `depth`, gates in the order i f g o, so that one block holds the four gates of
/// CK_LANES units: [block][depth][i f g o][lane]. `packed` holds
/// ck_packed_gate_columns(hidden_size) · depth floats; lanes beyond the last unit are zero.
void ck_pack_gates(const float *matrix, size_t hidden_size, size_t depth, float *packed);

#ifdef __cplusplus
}
#endif
#endif
