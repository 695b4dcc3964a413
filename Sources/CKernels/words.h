// AVX2's int8 routines: they widen the inputs of a call to 16 bits, on the stack, for the tiles of bytes. Two products of
// 16 bits and their sum are one instruction, which never saturates. Included by body.h behind those tiles.

/// The most words of widened inputs: at least a row.
#define CK_WORDS CK_I8_MAX_DEPTH
/// Inputs are widened sixteen at a time.
#define CK_WIDENED ((size_t)16)

CK_INLINE size_t words_of(size_t depth) {
  return (depth + CK_WIDENED - 1) / CK_WIDENED * CK_WIDENED;
}

/// Widens a row, whose bytes have 128 added.
static void widen(const uint8_t *bytes, size_t depth, int16_t *words) {
  for (size_t at = 0; at < depth; at += CK_WIDENED) {
    __m128i sixteen = _mm_set1_epi8((char)0x80);
    memcpy(&sixteen, bytes + at, least(depth - at, CK_WIDENED));
    const __m256i wide = _mm256_sub_epi16(_mm256_cvtepu8_epi16(sixteen), _mm256_set1_epi16(128));
    memcpy(words + at, &wide, sizeof wide);
  }
}

/// - Parameter words: receives the widened inputs of `rows` rows from `row` on.
static ck_inputs widened(
    const ck_inputs *inputs, size_t row, size_t rows, size_t depth, int16_t *words) {
  const size_t stride = words_of(depth);
  const uint8_t *bytes = (const uint8_t *)inputs->values + row * inputs->stride;
  for (size_t r = 0; r < rows; r++) widen(bytes + r * inputs->stride, depth, words + r * stride);
  return (ck_inputs){words, stride, inputs->scales ? inputs->scales + row : NULL};
}

/// How many bands of nearly equal size the rows of a call take.
CK_INLINE size_t bands_of(size_t rows, size_t depth) {
  const size_t most = depth > 0 ? CK_WORDS / words_of(depth) : rows;
  return (rows + most - 1) / most;
}

static void gemm_of_words(const ck_gemm *g) {
  if (g->rows == 0) return;
  const size_t bands = bands_of(g->rows, g->depth);
  int16_t words[CK_WORDS];
  for (size_t band = 0, row = 0; band < bands; band++) {
    ck_gemm part = *g;
    part.rows = next_part(g->rows - row, bands - band);
    part.input = widened(&g->input, row, part.rows, g->depth, words);
    part.output += row * g->output_stride;
    gemm_i8(&part);
    row += part.rows;
  }
}

static void step_of_words(const ck_step *s) {
  if (s->rows == 0) return;
  const size_t bands = bands_of(s->rows, s->recurrent_size);
  int16_t words[CK_WORDS];
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
    step_i8(&part);
    row += part.rows;
  }
}
