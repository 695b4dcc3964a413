// The routines of a variant by the number of what they are for.
#ifndef KC_ROUTINES_H
#define KC_ROUTINES_H

#include "CKernels.h"

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

typedef enum { KC_EXP, KC_SIGMOID, KC_TANH, KC_RELU } kc_activation;

static inline void kc_activate(
    const ck_kernels *kernels, kc_activation activation, float *values, size_t count) {
  switch (activation) {
    case KC_EXP: kernels->exp_f32(values, count); break;
    case KC_SIGMOID: kernels->sigmoid_f32(values, count); break;
    case KC_TANH: kernels->tanh_f32(values, count); break;
    case KC_RELU: kernels->relu_f32(values, count); break;
  }
}

#endif
