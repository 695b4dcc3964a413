// The checks. `kind` is a precision, or which activation.
#ifndef KC_CHECKS_H
#define KC_CHECKS_H

#include "run.h"

typedef bool kc_check(kc_run *, int kind);

kc_check kc_packing, kc_half_rounding, kc_half_widening;           // pack_checks.c
kc_check kc_gemm_columns, kc_gemm_gates, kc_gemm_deepest, kc_gemm_bands;  // gemm_checks.c
kc_check kc_step;                                                  // step_checks.c
kc_check kc_step_accuracy, kc_carousel;                            // cell_checks.c
kc_check kc_quantize;                                              // quantize_checks.c
kc_check kc_elementwise, kc_activations, kc_relu, kc_softmax,
    kc_scores, kc_best_scores;  // elementwise_checks.c
kc_check kc_units_in_the_last_place, kc_activation_accuracy, kc_extremes,
    kc_softmax_accuracy;  // accuracy_checks.c
kc_check kc_table, kc_benchmarks;                                  // table_checks.c

#endif
