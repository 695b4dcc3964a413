// What the checks are made of: memory that tells of a touch beside it, deterministic noise, and
// comparisons that say what they found.
#ifndef KC_RUN_H
#define KC_RUN_H

#include "KernelChecks.h"

/// Buffers that a run may hold at a time.
#define KC_MOST_HELD 64

/// A check under way.
typedef struct {
  const ck_kernels *kernels;  // under test
  const ck_kernels *scalar;
  char *message;
  size_t message_size;
  char trying[96];  // for the message
  uint64_t noise, digest;
  struct {
    void *start;
    size_t bytes;
  } held[KC_MOST_HELD];
  size_t held_count;
} kc_run;

/// Says what is tried from here on, for the message.
__attribute__((format(printf, 2, 3))) void kc_trying(kc_run *, const char *format, ...);

/// Ends a check: writes what was tried and what is wrong into the message. Returns false.
__attribute__((format(printf, 2, 3))) bool kc_fail(kc_run *, const char *format, ...);

/// Writes what a check measured into the message. Returns true.
__attribute__((format(printf, 2, 3))) bool kc_note(kc_run *, const char *format, ...);

// --- Memory ---

/// A matrix in memory of its own, which ends with the last element of the last row. What lies
/// between rows is a guard; it and elements not written yet are 0xff in every byte, as a float a NaN.
typedef struct {
  size_t rows, columns, stride, element_size;
  unsigned char *values;
} kc_matrix;

/// - Parameter gap: elements from the end of a row to the next one.
kc_matrix kc_elements(kc_run *, size_t element_size, size_t rows, size_t columns, size_t gap);
kc_matrix kc_floats(kc_run *, size_t rows, size_t columns, size_t gap);

/// The last `rows` rows, in place.
kc_matrix kc_last_rows(kc_matrix, size_t rows);

/// The same numbers in memory of their own.
kc_matrix kc_copy(kc_run *, kc_matrix, size_t gap);

float *kc_row(kc_matrix, size_t row);
uint8_t *kc_byte_row(kc_matrix, size_t row);

/// Frees what was allocated since the run held `count` buffers.
void kc_release(kc_run *, size_t count);

// --- Numbers ---

/// What a problem is filled with.
typedef enum {
  KC_ORDINARY,  // of order one
  KC_SPECIAL,   // each row with a number of kc_specials; weights that are too small for their type
  KC_EXTREME,   // of one magnitude, and one sign a row: the largest sums
} kc_filling;

/// The numbers that arithmetic treats apart.
#define KC_SPECIAL_COUNT ((size_t)13)
extern const float kc_specials[KC_SPECIAL_COUNT];

uint32_t kc_random(kc_run *);

/// A multiple of scale / 2²³ in [−scale, scale).
float kc_random_float(kc_run *, float scale);

void kc_fill(kc_run *, kc_matrix, float scale, kc_filling);

/// As `quantize` leaves bytes: 1 to 255.
void kc_fill_bytes(kc_run *, kc_matrix, kc_filling);

/// Puts a special number in every third place.
void kc_sprinkle(kc_matrix);

// --- Comparison ---

/// Whether two floats have the same bits, all NaNs alike.
bool kc_equal(
    kc_run *, const char *what, size_t row, size_t column, float found, float expected);

/// Whether all elements are equal and the guards of `found` are whole.
bool kc_same(kc_run *, const char *what, kc_matrix found, kc_matrix expected);

/// Whether a float is within `bound` of what it should be.
bool kc_close(kc_run *, const char *what, size_t index, float found, double expected, double bound);

#endif
