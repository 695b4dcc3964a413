// The activations over one type of vector: CK_V of floats, with CK_U of as many unsigned integers.
// Included once for each type, by body.h.

#define CK_POWER_(v) power_##v
#define CK_POWER(v) CK_POWER_(v)

CK_INLINE CK_V fma_(CK_V a, CK_V b, CK_V c) { return __builtin_elementwise_fma(a, b, c); }

/// NaN passes through: every comparison with it is false.
CK_INLINE CK_V clamp(CK_V x, CK_V low, CK_V high) {
  x = low > x ? low : x;
  return high < x ? high : x;
}

/// A float whose low bits are the integer nearest to x · scale: adding 1.5·2²³ puts it there (Hacker's
/// Delight, chapter 17).
CK_INLINE CK_V shifted_(CK_V x, CK_V scale) { return fma_(x, scale, (CK_V)CK_SHIFT); }

CK_INLINE CK_U bits_of(CK_V x) {
  CK_U bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/// eˣ = 2ⁿ (1 + p), n the integer nearest x / ln 2; p = e^r − 1 for the remainder r, |r| ≤ ln 2 / 2.
///
/// p = r + r² q(r), q of degree 4 by the Remez exchange for the least relative error of p: 1.4e-8.
/// The domain is [CK_EXP_LOW, CK_EXP_HIGH], where 2ⁿ is a normal number.
typedef struct {
  CK_V scale, fraction;
} CK_POWER(CK_V);

CK_INLINE CK_POWER(CK_V) power_of_e(CK_V x) {
  CK_V shifted = shifted_(x, (CK_V)0x1.715476p+0f);  // 1 / ln 2
  CK_V n = shifted - (CK_V)CK_SHIFT;
  // ln 2 in two parts: the first has 15 bits, so its product with n is exact.
  CK_V r = fma_(n, (CK_V)-0x1.62e4p-1f, x);
  r = fma_(n, (CK_V)-0x1.7f7d1cp-20f, r);
  CK_V q = (CK_V)0x1.6bec06p-10f;
  q = fma_(q, r, (CK_V)0x1.122776p-7f);
  q = fma_(q, r, (CK_V)0x1.555674p-5f);
  q = fma_(q, r, (CK_V)0x1.5554bp-3f);
  q = fma_(q, r, (CK_V)0x1.fffffep-2f);
  CK_U bits = (bits_of(shifted) + 127) << 23;
  CK_POWER(CK_V) result;
  result.fraction = fma_(r * r, q, r);
  memcpy(&result.scale, &bits, sizeof bits);
  return result;
}

CK_INLINE CK_V exp_(CK_V x) {
  CK_POWER(CK_V) e = power_of_e(clamp(x, (CK_V)CK_EXP_LOW, (CK_V)CK_EXP_HIGH));
  return fma_(e.scale, e.fraction, e.scale);
}

/// e²ˣ − 1 for the hyperbolic tangent: tanh x = E / (E + 2). Beyond ±9.02 tanh rounds to ±1.
CK_INLINE CK_V tanh_numerator(CK_V x) {
  x = clamp(x, (CK_V)-CK_TANH_HIGH, (CK_V)CK_TANH_HIGH);
  CK_POWER(CK_V) e = power_of_e(x + x);
  return fma_(e.scale, e.fraction, e.scale - (CK_V)1);
}

CK_INLINE CK_V sigmoid_(CK_V x) { return (CK_V)1 / ((CK_V)1 + exp_(-x)); }

CK_INLINE CK_V tanh_(CK_V x) {
  CK_V e = tanh_numerator(x);
  return e / (e + (CK_V)2);
}

CK_INLINE CK_V relu_(CK_V x) { return x < (CK_V)0 ? (CK_V)0 : x; }

#undef CK_POWER
#undef CK_POWER_
