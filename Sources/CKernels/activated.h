// The activations that a cell can choose, over a register. Included once for each variant, by body.h.

CK_INLINE vf magnitude_(vf x) { return x < (vf)0 ? -x : x; }

/// eˣ − 1.
CK_INLINE vf exp_minus_1(vf x) {
  power_vf e = power_of_e(clamp(x, (vf)CK_EXP_LOW, (vf)CK_EXP_HIGH));
  return fma_(e.scale, e.fraction, e.scale - (vf)1);
}

/// ln(1 + eˣ) = max(x, 0) + ln(1 + y), y = e^−|x|; ln(1 + y) = 2 artanh s, s = y / (2 + y) ≤ ⅓, by its series.
CK_INLINE vf softplus_(vf x) {
  vf y = exp_(-magnitude_(x)), s = y / (y + (vf)2), s2 = s * s;
  vf series = (vf)(1.0f / 17);
  CK_UNROLL for (int k = 15; k >= 1; k -= 2) series = fma_(series, s2, (vf)(1.0f / (float)k));
  return fma_(s + s, series, relu_(x));
}

/// Applies an activation to a register. Not inlined: the common cells don't use this function.
static __attribute__((noinline)) vf activated(const ck_activation *activation, vf x) {
  const vf alpha = (vf)activation->alpha, beta = (vf)activation->beta;
  const vf none = (vf)0, one = (vf)1;
  switch (activation->kind) {
    case CK_SIGMOID: return sigmoid_(x);
    case CK_TANH: return tanh_(x);
    case CK_RELU: return relu_(x);
    case CK_HARD_SIGMOID: return clamp(fma_(alpha, x, beta), none, one);
    case CK_HARD_TANH: return clamp(x, -one, one);
    case CK_SOFTSIGN: return x / (one + magnitude_(x));
    case CK_SOFTPLUS: return softplus_(x);
    case CK_ELU: return x < none ? alpha * exp_minus_1(x) : beta * x;
    case CK_LEAKY_RELU: return x < none ? alpha * x : x;
    case CK_THRESHOLDED_RELU: return x <= alpha ? none : x;
    case CK_SCALED_TANH: return alpha * tanh_(beta * x);
    case CK_AFFINE: return fma_(alpha, x, beta);
    case CK_SILU: return x * sigmoid_(x);
    case CK_EXPONENTIAL: return exp_(x);
  }
  __builtin_trap();  // not an activation
}
