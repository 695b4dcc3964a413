#include "CArguments.h"

static int count;
static char **values;

// glibc hands a constructor what it hands main, and calls it first.
__attribute__((constructor)) static void keep_arguments(int argc, char **argv) {
  count = argc;
  values = argv;
}

int carguments_count(void) { return count; }

const char *carguments_value(int index) { return values[index]; }
