// The process's arguments, from the C library and not from /proc, which may not be mounted.
#pragma once

/// The number of arguments, including the program's name.
int carguments_count(void);

/// The argument at `index`, which has to be below the count; valid until the process ends.
const char *carguments_value(int index);
