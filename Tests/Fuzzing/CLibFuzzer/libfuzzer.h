// What libFuzzer offers to a program that has a main of its own: https://llvm.org/docs/LibFuzzer.html.
// The toolchain has the library, but no header for these two.
#pragma once

#include <stddef.h>
#include <stdint.h>

/// Fuzzes `read` as the arguments say. Returns only after runs that end by themselves.
int LLVMFuzzerRunDriver(int *count, char ***arguments, int (*read)(const uint8_t *bytes, size_t count));

/// Changes the bytes in place, as libFuzzer does where there is no mutator of one's own; returns how many they are then.
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t count, size_t max_count);
