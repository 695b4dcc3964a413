#define _DEFAULT_SOURCE  // MAP_ANONYMOUS

#include "run.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void kc_trying(kc_run *run, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(run->trying, sizeof run->trying, format, arguments);
  va_end(arguments);
}

bool kc_fail(kc_run *run, const char *format, ...) {
  int used = 0;
  if (run->trying[0]) used = snprintf(run->message, run->message_size, "%s: ", run->trying);
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(run->message + used, run->message_size - (size_t)used, format, arguments);
  va_end(arguments);
  return false;
}

bool kc_note(kc_run *run, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(run->message, run->message_size, format, arguments);
  va_end(arguments);
  return true;
}

// --- Memory ---

#define GUARD 0xff

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

/// Memory whose end no one oversteps unseen: AddressSanitizer watches it, or a page that can't be
/// touched lies behind it.
static void *memory(kc_run *run, size_t bytes) {
  if (run->held_count == KC_MOST_HELD) abort();
#if SANITIZED
  void *start = malloc(bytes), *values = start;
  if (!start) abort();
#else
  const size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (bytes + page - 1) / page * page;
  unsigned char *start = mmap(
      NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED || mprotect(start + whole, page, PROT_NONE) != 0) abort();
  void *values = start + whole - bytes;
  run->held[run->held_count].bytes = whole + page;
#endif
  run->held[run->held_count++].start = start;
  memset(values, GUARD, bytes);
  return values;
}

void kc_release(kc_run *run, size_t count) {
  while (run->held_count > count) {
    run->held_count--;
#if SANITIZED
    free(run->held[run->held_count].start);
#else
    munmap(run->held[run->held_count].start, run->held[run->held_count].bytes);
#endif
  }
}

kc_matrix kc_elements(
    kc_run *run, size_t element_size, size_t rows, size_t columns, size_t gap) {
  const size_t stride = columns + gap;
  const size_t count = rows > 0 ? (rows - 1) * stride + columns : 0;
  return (kc_matrix){rows, columns, stride, element_size, memory(run, count * element_size)};
}

kc_matrix kc_floats(kc_run *run, size_t rows, size_t columns, size_t gap) {
  return kc_elements(run, sizeof(float), rows, columns, gap);
}

static unsigned char *row_of(kc_matrix m, size_t row) {
  return m.values + row * m.stride * m.element_size;
}

float *kc_row(kc_matrix m, size_t row) { return (float *)(void *)row_of(m, row); }

uint8_t *kc_byte_row(kc_matrix m, size_t row) { return row_of(m, row); }

kc_matrix kc_last_rows(kc_matrix m, size_t rows) {
  m.values = row_of(m, m.rows - rows);
  m.rows = rows;
  return m;
}

kc_matrix kc_copy(kc_run *run, kc_matrix m, size_t gap) {
  kc_matrix copy = kc_elements(run, m.element_size, m.rows, m.columns, gap);
  for (size_t row = 0; row < m.rows; row++) {
    memcpy(row_of(copy, row), row_of(m, row), m.columns * m.element_size);
  }
  return copy;
}

// --- Numbers ---

const float kc_specials[KC_SPECIAL_COUNT] = {
  NAN, 0.0f, -0.0f, FLT_TRUE_MIN, -FLT_TRUE_MIN, 0x1.fffffcp-127f, -0x1.fffffcp-127f,  // subnormal
  FLT_MIN, -FLT_MIN, FLT_MAX, -FLT_MAX, INFINITY, -INFINITY,
};

/// SplitMix64.
uint32_t kc_random(kc_run *run) {
  uint64_t z = run->noise += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return (uint32_t)(z >> 32);
}

float kc_random_float(kc_run *run, float scale) {
  return ((float)(kc_random(run) >> 8) - 0x1p23f) * 0x1p-23f * scale;
}

void kc_fill(kc_run *run, kc_matrix m, float scale, kc_filling filling) {
  for (size_t row = 0; row < m.rows; row++) {
    float *values = kc_row(m, row);
    const float special = kc_specials[row % KC_SPECIAL_COUNT];
    const size_t at = m.columns > 0 ? kc_random(run) % m.columns : 0;
    for (size_t i = 0; i < m.columns; i++) {
      const float ordinary = kc_random_float(run, scale);
      switch (filling) {
        case KC_ORDINARY: values[i] = ordinary; break;
        // What is large drowns the rest of its row and needs one place; what is small needs all.
        case KC_SPECIAL:
          values[i] = fabsf(special) <= FLT_MIN ? copysignf(special, ordinary)
                      : i == at                 ? special
                                                : ordinary;
          break;
        case KC_EXTREME: values[i] = row % 2 ? scale : -scale; break;
      }
    }
  }
}

void kc_fill_bytes(kc_run *run, kc_matrix m, kc_filling filling) {
  for (size_t row = 0; row < m.rows; row++) {
    for (size_t i = 0; i < m.columns; i++) {
      const uint8_t extreme = row % 2 ? 128 + CK_I8_MAX : 128 - CK_I8_MAX;
      kc_byte_row(m, row)[i] =
          filling == KC_EXTREME ? extreme : (uint8_t)(1 + kc_random(run) % (2 * CK_I8_MAX + 1));
    }
  }
}

void kc_sprinkle(kc_matrix m) {
  for (size_t row = 0, next = 0; row < m.rows; row++) {
    for (size_t i = row % 3; i < m.columns; i += 3) {
      kc_row(m, row)[i] = kc_specials[next++ % KC_SPECIAL_COUNT];
    }
  }
}

// --- Comparison ---

/// One pattern for every NaN.
static uint32_t bits_of(float value) {
  uint32_t bits = 0x7fc00000;
  if (!isnan(value)) memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// Takes a result into the digest: FNV-1a, by words.
static void digest(kc_run *run, uint32_t bits) {
  run->digest = (run->digest ^ bits) * 0x100000001b3;
}

bool kc_equal(
    kc_run *run, const char *what, size_t row, size_t column, float found, float expected) {
  const uint32_t f = bits_of(found), e = bits_of(expected);
  digest(run, f);
  return f == e || kc_fail(
                       run, "%s[%zu][%zu] is %.9g (%08x), expected %.9g (%08x)", what, row, column,
                       (double)found, f, (double)expected, e);
}

static bool same_bytes(
    kc_run *run, const char *what, size_t row, size_t column, uint8_t found, uint8_t expected) {
  digest(run, found);
  return found == expected ||
         kc_fail(run, "%s[%zu][%zu] is %u, expected %u", what, row, column, found, expected);
}

bool kc_same(kc_run *run, const char *what, kc_matrix found, kc_matrix expected) {
  for (size_t row = 0; row < found.rows; row++) {
    for (size_t i = 0; i < found.columns; i++) {
      const bool same =
          found.element_size == 1
              ? same_bytes(
                    run, what, row, i, kc_byte_row(found, row)[i], kc_byte_row(expected, row)[i])
              : kc_equal(run, what, row, i, kc_row(found, row)[i], kc_row(expected, row)[i]);
      if (!same) return false;
    }
    const size_t gap = row + 1 < found.rows ? found.stride - found.columns : 0;
    const uint8_t *guard = row_of(found, row) + found.columns * found.element_size;
    for (size_t i = 0; i < gap * found.element_size; i++) {
      if (guard[i] != GUARD) {
        return kc_fail(run, "%s has the gap behind row %zu overwritten", what, row);
      }
    }
  }
  return true;
}

bool kc_close(
    kc_run *run, const char *what, size_t index, float found, double expected, double bound) {
  const double error = fabs((double)found - expected);
  return error <= bound ||
         kc_fail(
             run, "%s[%zu] is %.9g, expected %.17g: off by %.3g, more than %.3g", what, index,
             (double)found, expected, error, bound);
}
