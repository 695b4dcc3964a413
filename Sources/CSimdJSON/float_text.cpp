#include <charconv>
#include <cmath>
#include <cstring>

#include "csimdjson.h"

size_t csj_write_float(float value, char *text) {
  const float magnitude = std::fabs(value);
  const bool is_plain = value == 0 || (magnitude >= 1e-4f && magnitude <= 0x1p24f);
  char *const limit = text + CSJ_MAX_FLOAT_BYTES;
  char *end = std::to_chars(
                  text, limit, value,
                  is_plain ? std::chars_format::fixed : std::chars_format::scientific)
                  .ptr;
  if (is_plain && std::memchr(text, '.', static_cast<size_t>(end - text)) == nullptr) {
    *end++ = '.';
    *end++ = '0';
  }
  return static_cast<size_t>(end - text);
}
