// The arguments that the process was started with, from the C library rather than from /proc.
#pragma once

/// How many there are, the program's name among them.
int carguments_count(void);

/// The argument at `index`, which is below the count; the process keeps it to its end.
const char *carguments_value(int index);
