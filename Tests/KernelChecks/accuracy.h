// How far off results may be, and why.
#ifndef KC_ACCURACY_H
#define KC_ACCURACY_H

/// Units in the last place that an activation may be off by: the most that it is at any float,
/// rounded up. CAROUSEL_EXHAUSTIVE measures it.
#define KC_EXP_ULPS 1.05
#define KC_SIGMOID_ULPS 2.5
#define KC_TANH_ULPS 2.6

/// The unit roundoff of f32. A unit in the last place is at most twice that of its number.
#define KC_U 0x1p-24

/// The relative errors of activations.
#define KC_EXP_ERROR (2 * KC_U * KC_EXP_ULPS)
#define KC_SIGMOID_ERROR (2 * KC_U * KC_SIGMOID_ULPS)
#define KC_TANH_ERROR (2 * KC_U * KC_TANH_ULPS)

/// That of any other activation whose factors are of order one.
#define KC_ACTIVATION_ERROR (2 * KC_U * 5)

/// What is left of e^x where x is cut off, and more than any subnormal number.
#define KC_CUT_OFF 1.3e-38

/// The error of a sum of n + 1 terms, or of n multiply-adds, is at most this times the sum of the
/// terms' magnitudes (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1).
static inline double kc_gamma(double n) { return n * KC_U / (1 - n * KC_U); }

/// Products of errors, which the bounds leave out, are less than this part of them.
#define KC_SECOND_ORDER 0x1p-10

#endif
