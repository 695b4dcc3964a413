// What a table says of itself, and its routines for benchmarks.
#include <math.h>
#include <string.h>

#include "checks.h"

bool kc_table(kc_run *run, int kind) {
  (void)kind;
  const char *name = run->kernels->name;
  if (ck_kernels_best()->isa < run->kernels->isa) return kc_fail(run, "%s is not the best", name);
  for (int isa = 0; isa < CK_ISA_COUNT; isa++) {
    const ck_kernels *other = ck_kernels_for((ck_isa)isa);
    if (other && other->isa != (ck_isa)isa) {
      return kc_fail(run, "%s is found for instruction set %d", other->name, isa);
    }
    if (other && (other == run->kernels) != (strcmp(other->name, name) == 0)) {
      return kc_fail(run, "%s is the name of two", name);
    }
  }
  return true;
}

bool kc_benchmarks(kc_run *run, int kind) {
  (void)kind;
  // A sum of words tells of each that was left out.
  const kc_matrix words = kc_elements(run, sizeof(uint32_t), 1, 512, 0);
  uint32_t sum = 0;
  for (size_t i = 0; i < words.columns; i++) {
    const uint32_t word = kc_random(run);
    memcpy(words.values + i * sizeof word, &word, sizeof word);
    sum += word;
  }
  const uint32_t found = run->kernels->read(words.values, words.columns * sizeof(uint32_t));
  if (found != sum) return kc_fail(run, "what was read adds up to %u, expected %u", found, sum);
  // Each number under way goes to the fixed point of x · 0.999 + 0.001.
  const double chains = (double)run->kernels->fma_flops / 2;
  return kc_close(run, "sum", 0, run->kernels->fma_f32(50000), chains, 0.001 * chains);
}
