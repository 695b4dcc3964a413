// usage: kernel-checks [VARIANT...]
//
// Runs every check for every variant that this CPU has, or for those that are named. Fails where a
// check does. The digest is of all numbers that were compared: the same on every machine.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "KernelChecks.h"

static bool is_named(const char *name, int count, char **names) {
  for (int i = 0; i < count; i++) {
    if (strcmp(names[i], name) == 0) return true;
  }
  return count == 0;
}

int main(int argc, char **argv) {
  int passed = 0, failed = 0;
  for (int isa = 0; isa < CK_ISA_COUNT; isa++) {
    const ck_kernels *kernels = ck_kernels_for((ck_isa)isa);
    if (!kernels || !is_named(kernels->name, argc - 1, argv + 1)) continue;
    uint64_t digest = 0;
    for (size_t check = 0; kc_check_name(check); check++) {
      char message[256];
      uint64_t part;
      const bool holds = kc_check_holds(check, kernels, message, sizeof message, &part);
      digest = digest * 31 + part;
      *(holds ? &passed : &failed) += 1;
      printf(
          "%s: %s: %s%s%s\n", holds ? "ok" : "FAILED", kernels->name, kc_check_name(check),
          message[0] ? ": " : "", message);
      fflush(stdout);
    }
    printf("digest of %s: %016" PRIx64 "\n", kernels->name, digest);
  }
  printf("%d passed, %d failed\n", passed, failed);
  return passed == 0 || failed > 0;
}
