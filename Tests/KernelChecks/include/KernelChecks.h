// The proof of the kernels: properties that every variant must have. In C, so that it also runs where
// a test of Swift's does not: cross-compiled, under an emulator.
//
// With CAROUSEL_EXHAUSTIVE in the environment, the accuracy of the activations is measured at every
// float instead of at some: a minute or two for each variant.
#ifndef KERNEL_CHECKS_H
#define KERNEL_CHECKS_H

#include "CKernels.h"

/// The name of a check, or NULL past the last.
const char *kc_check_name(size_t check);

/// Whether `kernels` pass a check.
///
/// - Parameters:
///   - message: takes up to `size` bytes of text: the first fault, with what was found and what was
///     expected; of a check that was passed, what it measured, if anything.
///   - digest: takes a hash of all results that were compared bit for bit, which is the same on
///     every machine.
bool kc_check_holds(
    size_t check, const ck_kernels *kernels, char *message, size_t size, uint64_t *digest);

#endif
