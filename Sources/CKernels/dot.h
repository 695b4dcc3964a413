// Sums of products of bytes, CK_DOT_STEP at a time. Included by body.h; a variant defines one of
//   CK_DOT_VNNI     unsigned by signed in one instruction: inputs keep the 128 that `quantize` added; `offsets` subtract it
//   CK_DOT_MADD     AVX-512's sums of pairs, in a range that never saturates
//   CK_DOT_WORDS    AVX2's sums of pairs of 16 bits; inputs are widened for a call (words.h), weights as they are read
//   CK_DOT_NEON     widening products
//   CK_DOT_SDOT     signed by signed in one instruction
// or none: then one byte is multiplied at a time. All sums are exact, so all variants give the same bits.

CK_INLINE vi load_dot(const void *p) {
  vi v;
  memcpy(&v, p, sizeof v);
  return v;
}

/// The same inputs in every lane.
#if CK_DOT_WORDS
#define CK_DOT_STEP ((size_t)2)
typedef int16_t dot_input;
CK_INLINE vi broadcast_i8(const int16_t *inputs) {
  int32_t two;
  memcpy(&two, inputs, sizeof two);
  return (vi)two;
}
#else
#define CK_DOT_STEP CK_I8_STEP
typedef uint8_t dot_input;
CK_INLINE vi broadcast_i8(const uint8_t *inputs) {
  uint32_t four;
  memcpy(&four, inputs, sizeof four);
#if !CK_DOT_VNNI
  four ^= 0x80808080;  // subtracts the added 128 from each
#endif
  return (vi)(int32_t)four;
}
#endif

CK_INLINE vi column_i8(const int8_t *weights) {
#if CK_DOT_WORDS
  return (vi)_mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)weights));
#else
  return load_dot(weights);
#endif
}

CK_INLINE vi offset_i8(const int32_t *offsets) {
#if CK_DOT_VNNI
  return load_dot(offsets);
#else
  (void)offsets;
  return (vi)0;
#endif
}

CK_INLINE vf float_of(vi sum) {
#if CK_WIDTH > 1
  return __builtin_convertvector(sum, vf);
#else
  return (vf)sum;
#endif
}

CK_INLINE vi add_i8(vi sum, vi weights, vi inputs) {
#if CK_DOT_VNNI && CK_WIDTH == 16
  return (vi)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)inputs, (__m512i)weights);
#elif CK_DOT_VNNI
  return (vi)_mm256_dpbusd_avx_epi32((__m256i)sum, (__m256i)inputs, (__m256i)weights);
#elif CK_DOT_MADD
  // |x| · (w with x's sign): the sum of two products is at most 2 · 127², which fits 16 bits.
  const __m512i x = (__m512i)inputs, w = (__m512i)weights;
  const __m512i turned =
      _mm512_mask_sub_epi8(w, _mm512_movepi8_mask(x), _mm512_setzero_si512(), w);
  const __m512i pairs = _mm512_maddubs_epi16(_mm512_abs_epi8(x), turned);
  return sum + (vi)_mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
#elif CK_DOT_WORDS
  return sum + (vi)_mm256_madd_epi16((__m256i)weights, (__m256i)inputs);
#elif CK_DOT_SDOT
  return (vi)vdotq_s32((int32x4_t)sum, (int8x16_t)weights, (int8x16_t)inputs);
#elif CK_DOT_NEON
  const int8x16_t x = (int8x16_t)inputs, w = (int8x16_t)weights;
  const int16x8_t low = vmull_s8(vget_low_s8(w), vget_low_s8(x)), high = vmull_high_s8(w, x);
  return sum + (vi)vpaddq_s32(vpaddlq_s16(low), vpaddlq_s16(high));
#else
  int8_t w[4], x[4];
  memcpy(w, &weights, sizeof w);
  memcpy(x, &inputs, sizeof x);
  for (int k = 0; k < 4; k++) sum += w[k] * x[k];
  return sum;
#endif
}
