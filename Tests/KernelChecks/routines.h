// The routines of a variant by the number of what they are for.
#ifndef KC_ROUTINES_H
#define KC_ROUTINES_H

#include "CKernels.h"
#include "reference.h"

static inline void kc_call_gemm(
    const ck_kernels *kernels, ck_precision precision, const ck_gemm *call) {
  switch (precision) {
    case CK_F32: kernels->gemm_f32(call); break;
    case CK_F16: kernels->gemm_f16(call); break;
    case CK_I8: kernels->gemm_i8(call); break;
  }
}

static inline void kc_call_step(
    const ck_kernels *kernels, ck_precision precision, const ck_step *call) {
  switch (precision) {
    case CK_F32: kernels->step_f32(call); break;
    case CK_F16: kernels->step_f16(call); break;
    case CK_I8: kernels->step_i8(call); break;
  }
}

/// From KC_LISTED on a ck_activation_kind.
typedef enum { KC_EXP, KC_SIGMOID, KC_TANH, KC_RELU, KC_LISTED } kc_activation;

static inline void kc_activate(
    const ck_kernels *kernels, kc_activation activation, float *values, size_t count) {
  if (activation >= KC_LISTED) {
    const ck_activation listed =
        kc_some_activation((ck_activation_kind)(activation - KC_LISTED));
    kernels->activate_f32(&listed, values, count);
    return;
  }
  switch (activation) {
    case KC_LISTED: break;
    case KC_EXP: kernels->exp_f32(values, count); break;
    case KC_SIGMOID: kernels->sigmoid_f32(values, count); break;
    case KC_TANH: kernels->tanh_f32(values, count); break;
    case KC_RELU: kernels->relu_f32(values, count); break;
  }
}

#endif
