// A variant's registers of CK_WIDTH floats, and loads and stores.
// Included once for each variant, by body.h.

#define CK_INLINE static inline __attribute__((always_inline, overloadable))
#define CK_UNROLL _Pragma("clang loop unroll(full)")

/// The number of registers for the columns of a panel.
#define CK_PARTS ((int)(CK_LANES / CK_WIDTH))

#if CK_WIDTH > 1
typedef float vf __attribute__((ext_vector_type(CK_WIDTH)));
typedef int32_t vi __attribute__((ext_vector_type(CK_WIDTH)));
typedef uint32_t vu __attribute__((ext_vector_type(CK_WIDTH)));
typedef uint8_t vb __attribute__((ext_vector_type(CK_WIDTH)));
#else
typedef float vf;
typedef int32_t vi;
typedef uint32_t vu;
typedef uint8_t vb;
#endif
/// The four gates of CK_WIDTH units in one wide vector, so that the compiler interleaves their operations.
typedef float vg __attribute__((ext_vector_type(4 * CK_WIDTH)));
typedef uint32_t vgu __attribute__((ext_vector_type(4 * CK_WIDTH)));

CK_INLINE vf load(const float *p) {
  vf v;
  memcpy(&v, p, sizeof v);
  return v;
}

CK_INLINE void store(float *p, vf v) { memcpy(p, &v, sizeof v); }

/// Loads `count` floats (up to CK_WIDTH); the other lanes are zero.
CK_INLINE vf load_some(const float *p, size_t count) {
  if (count >= CK_WIDTH) return load(p);
  float lanes[CK_WIDTH] = {0};
  for (size_t l = 0; l < count; l++) lanes[l] = p[l];
  return load(lanes);
}

CK_INLINE void store_some(float *p, vf v, size_t count) {
  if (count >= CK_WIDTH) {
    store(p, v);
  } else {
    float lanes[CK_WIDTH];
    store(lanes, v);
    for (size_t l = 0; l < count; l++) p[l] = lanes[l];
  }
}

/// Gate `index` of four.
CK_INLINE vf gate(vg v, size_t index) {
  vf part;
  memcpy(&part, (const char *)&v + index * sizeof part, sizeof part);
  return part;
}

CK_INLINE vg joined(vf i, vf f, vf g, vf o) {
  vf parts[4] = {i, f, g, o};
  vg v;
  memcpy(&v, parts, sizeof v);
  return v;
}

CK_INLINE vg gates(float i, float f, float g, float o) {
  return joined((vf)i, (vf)f, (vf)g, (vf)o);
}

/// The number of columns that are left from `start` on.
CK_INLINE size_t lanes_left(size_t columns, size_t start) {
  return columns > start ? columns - start : 0;
}

CK_INLINE vb low_bytes(vu v) {
#if CK_WIDTH > 1
  return __builtin_convertvector(v & 0xff, vb);
#else
  return (vb)v;
#endif
}

/// f16 to f32, exact.
CK_INLINE vf widened(const uint16_t *p) {
#if CK_WIDTH > 1
  _Float16 half __attribute__((ext_vector_type(CK_WIDTH)));
  memcpy(&half, p, sizeof half);
  return __builtin_convertvector(half, vf);
#else
  // The exponent's bias changes from 15 to 127; infinities and NaN keep the largest exponent.
  uint32_t bits = (uint32_t)(*p & 0x8000) << 16 | (uint32_t)(*p & 0x7fff) << 13;
  if ((*p & 0x7c00) == 0x7c00) bits |= 0x7f800000;
  float scaled;
  memcpy(&scaled, &bits, sizeof scaled);
  return scaled * 0x1p112f;
#endif
}
