#include "CArguments.h"

static int count;
static char **values;

// glibc passes main's arguments to constructors, which run before main.
__attribute__((constructor)) static void keep_arguments(int argc, char **argv) {
  count = argc;
  values = argv;
}

int carguments_count(void) { return count; }

const char *carguments_value(int index) { return values[index]; }
