// AVX2's sums of products of bytes for calls of many rows, by Winograd's identity (A New Algorithm for Inner Product,
// IEEE Transactions on Computers C-17, 1968): two products cost one multiplication,
//   x0 w0 + x1 w1 = (x0 + w1) (x1 + w0) − x0 x1 − w0 w1
// where x0 x1 belongs to a row alone and w0 w1 to a column alone. AVX2 multiplies in two of its four units and adds in all
// of them, so two additions in the place of a multiplication and a sign are faster. Sums wrap around in between; the
// result fits 32 bits, so it is exact. Weights are packed as for the tiles of bytes; a panel's are widened once for all rows
// of a band. Included by body.h behind the tiles of bytes.

/// Of a step's four inputs or weights the first and the third, and the second and the fourth: pairs of 16 bits.
typedef struct {
  __m256i even, odd;
} pairs;

CK_INLINE pairs column_pairs(const int16_t *widened) {
  pairs both;
  memcpy(&both, widened, sizeof both);
  return both;
}

CK_INLINE pairs broadcast_pairs(const int16_t *inputs) {
  int32_t two[2];
  memcpy(two, inputs, sizeof two);
  return (pairs){_mm256_set1_epi32(two[0]), _mm256_set1_epi32(two[1])};
}

CK_INLINE vi add_pairs(vi sum, pairs weights, pairs inputs) {
  const __m256i products = _mm256_madd_epi16(
      _mm256_add_epi16(inputs.even, weights.odd), _mm256_add_epi16(inputs.odd, weights.even));
  return (vi)_mm256_add_epi32((__m256i)sum, products);
}

CK_INLINE vi offset_pairs(const int32_t *offsets) { return load_dot(offsets); }

/// Inputs are widened sixteen at a time.
#define CK_WIDENED ((size_t)16)

/// The words of a widened row before its offset.
CK_INLINE size_t widened_words(size_t steps) {
  return (steps * CK_I8_STEP + CK_WIDENED - 1) / CK_WIDENED * CK_WIDENED;
}

CK_INLINE vi row_offset_pairs(const int16_t *inputs, size_t steps) {
  int32_t offset;
  memcpy(&offset, inputs + widened_words(steps), sizeof offset);
  return (vi)offset;
}

/// The words of a band's widened inputs, and the most words of a panel's widened weights. Both lie on the stack.
#define CK_PAIR_WORDS ((size_t)32768)

/// The weights of a panel's next step, as pairs of 16 bits; `words` has room for 64.
CK_INLINE void widen_pairs(const int8_t *weights, int16_t *words) {
  CK_UNROLL for (int part = 0; part < CK_PARTS; part++) {
    const __m256i bytes = (__m256i)load_dot(weights + part * CK_WIDTH * (int)CK_I8_STEP);
    const pairs wide = {
      _mm256_srai_epi16(_mm256_slli_epi16(bytes, 8), 8), _mm256_srai_epi16(bytes, 8)};
    memcpy(words + part * CK_WIDTH * (int)CK_I8_STEP, &wide, sizeof wide);
  }
}

#define CK_AT(x) x##_pairs
#define CK_INTEGER 1
#define CK_WIDENS 1
#define CK_STEPS_AT_ONCE ((size_t)1)
#define CK_ROWS CK_PAIR_ROWS
#define CK_SUMS CK_PAIR_SUMS
#define packed_t int8_t
#define weight_t int16_t
#define input_t int16_t
#define operand_t pairs
#include "tiles.h"

/// Widens a row to pairs, and appends minus the sum of its x0 x1.
static void widen(const uint8_t *bytes, size_t steps, int16_t *words) {
  const __m256i order = _mm256_setr_epi8(
      0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15,
      0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15);
  vi offset = (vi)0;
  for (size_t left = steps * CK_I8_STEP; left > 0;) {
    const size_t some = least(left, CK_WIDENED);
    __m128i sixteen = _mm_set1_epi8((char)0x80);
    memcpy(&sixteen, bytes, some);
    const __m256i wide =
        _mm256_cvtepi8_epi16(_mm_xor_si128(sixteen, _mm_set1_epi8((char)0x80)));
    offset -= (vi)_mm256_madd_epi16(wide, _mm256_srli_epi32(wide, 16));
    const __m256i ordered = _mm256_shuffle_epi8(wide, order);
    memcpy(words, &ordered, sizeof ordered);
    bytes += some;
    words += CK_WIDENED;
    left -= some;
  }
  int32_t total = 0;
  for (int lane = 0; lane < CK_WIDTH; lane++) total += offset[lane];
  memcpy(words, &total, sizeof total);
}

/// The fewest rows for which this is faster than the tiles of bytes.
#define CK_LEAST_PAIR_ROWS ((size_t)8)

/// How many bands of nearly equal size the rows of a call take; 0 for a call that takes the tiles of bytes.
CK_INLINE size_t pair_bands(size_t rows, size_t depth) {
  const size_t steps = steps_pairs(depth), most = CK_PAIR_WORDS / (widened_words(steps) + 2);
  const bool fits = most >= 2 * CK_LEAST_PAIR_ROWS && steps * CK_LANES * CK_I8_STEP <= CK_PAIR_WORDS;
  if (rows < CK_LEAST_PAIR_ROWS || !fits) return 0;
  return (rows + most - 1) / most;
}

/// - Parameter words: receives the widened inputs of `rows` rows from `row` on.
static ck_inputs widened(
    const ck_inputs *inputs, size_t row, size_t rows, size_t depth, int16_t *words) {
  const size_t steps = steps_pairs(depth), stride = widened_words(steps) + 2;
  const uint8_t *bytes = (const uint8_t *)inputs->values + row * inputs->stride;
  for (size_t r = 0; r < rows; r++) widen(bytes + r * inputs->stride, steps, words + r * stride);
  return (ck_inputs){words, stride, inputs->scales ? inputs->scales + row : NULL};
}

static void gemm_by_pairs(const ck_gemm *g) {
  const size_t bands = pair_bands(g->rows, g->depth);
  if (bands == 0) return gemm_i8(g);
  int16_t words[CK_PAIR_WORDS];
  for (size_t band = 0, row = 0; band < bands; band++) {
    ck_gemm part = *g;
    part.rows = next_part(g->rows - row, bands - band);
    part.input = widened(&g->input, row, part.rows, g->depth, words);
    part.output += row * g->output_stride;
    gemm_pairs(&part);
    row += part.rows;
  }
}

static void step_by_pairs(const ck_step *s) {
  const size_t bands = pair_bands(s->rows, s->recurrent_size);
  if (bands == 0) return step_i8(s);
  int16_t words[CK_PAIR_WORDS];
  for (size_t band = 0, row = 0; band < bands; band++) {
    ck_step part = *s;
    part.rows = next_part(s->rows - row, bands - band);
    part.hidden = widened(&s->hidden, row, part.rows, s->recurrent_size, words);
    if (s->projected) part.projected += row * s->projected_stride;
    if (s->cell_state) part.cell_state += row * s->cell_state_stride;
    if (s->previous) part.previous += row * s->previous_stride;
    if (s->update) part.update += row * s->update_stride;
    if (s->quantized) part.quantized += row * s->quantized_stride;
    part.output += row * s->output_stride;
    step_pairs(&part);
    row += part.rows;
  }
}
