#define SIMDJSON_EXCEPTIONS 0
// Makes simdjson report at once a text that ends inside an array or object.
#define SIMDJSON_CHECK_EOF 1
#include <sched.h>
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "csimdjson.h"

namespace ondemand = simdjson::ondemand;

namespace {

// The most bytes of a token, and of a member's name, that an error message quotes.
constexpr size_t max_found_bytes = 40;
constexpr size_t max_name_bytes = 64;
// Buffers start at one page and grow by doubling.
constexpr size_t min_capacity = 4096;
// The shortest number whose exponent simdjson may wrap around: 1e and 19 digits.
constexpr size_t min_wrapping_bytes = 21;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The text of a number, without the white space behind it.
std::string_view number_of(ondemand::value &value) {
  std::string_view token = value.raw_json_token();
  while (!token.empty() && is_space(token.back())) token.remove_suffix(1);
  return token;
}

// The token at `start`, for an error: a bracket, a string with its quotes, or the text before a separator.
std::string_view token_of(const char *start, const char *end) {
  const std::string_view text(start, static_cast<size_t>(end - start));
  if (!text.empty() && std::strchr("[{", text[0]) != nullptr) return text.substr(0, 1);
  size_t length = 0;
  const bool quoted = !text.empty() && text[0] == '"';
  while (length < text.size() && length < max_found_bytes) {
    const char c = text[length];
    if (quoted ? (length > 0 && c == '"') : std::strchr(",:]} \t\r\n", c) != nullptr) break;
    length++;
  }
  if (quoted && length < text.size() && text[length] == '"') length++;
  if (length == 0 && !text.empty()) length = 1;
  return text.substr(0, length);
}

// Returns the end of the object that starts at `start`, or `end` if the object is not complete. If a bracket in it
// closes the wrong kind, sets `mismatched` and returns that bracket's place.
const char *end_of_object(const char *start, const char *end, bool &mismatched) {
  std::string open;
  bool in_string = false;
  mismatched = false;
  for (const char *at = start; at < end; at++) {
    if (in_string) {
      if (*at == '\\') {
        at++;
      } else if (*at == '"') {
        in_string = false;
      }
      continue;
    }
    if (*at == '"') in_string = true;
    if (*at == '{' || *at == '[') open.push_back(*at);
    if (*at == '}' || *at == ']') {
      mismatched = open.back() != (*at == '}' ? '{' : '[');
      if (mismatched) return at;
      open.pop_back();
      if (open.empty()) return at + 1;
    }
  }
  return end;
}

const char *skip_space(const char *at, const char *end) {
  while (at < end && is_space(*at)) at++;
  return at;
}

// Whether all of `token` is a number by RFC 8259 §6.
bool is_number(std::string_view token) {
  size_t at = 0;
  auto digits = [&] {
    const size_t start = at;
    while (at < token.size() && token[at] >= '0' && token[at] <= '9') at++;
    return at > start;
  };
  auto skip = [&](std::string_view any) {
    const bool present = at < token.size() && any.find(token[at]) != any.npos;
    at += present ? 1 : 0;
    return present;
  };
  skip("-");
  if (!skip("0") && !digits()) return false;
  if (skip(".") && !digits()) return false;
  if (skip("eE")) {
    skip("+-");
    if (!digits()) return false;
  }
  return at == token.size();
}

// Whether a number beyond the range of a double is too small (true) or too large (false).
bool is_tiny(std::string_view token) {
  constexpr int64_t huge = int64_t{1} << 40;  // more than a document has digits
  int64_t magnitude = 0;                      // the decimal exponent
  bool fraction = false, significant = false;
  size_t at = 0;
  for (; at < token.size() && (token[at] | 0x20) != 'e'; at++) {
    if (token[at] == '.') fraction = true;
    if (token[at] >= '1' && token[at] <= '9') significant = true;
    if (token[at] < '0') continue;  // skips the sign and the point
    magnitude += significant && !fraction ? 1 : !significant && fraction ? -1 : 0;
  }
  int64_t exponent = 0;
  bool negative = false;
  for (; at < token.size(); at++) {
    if (token[at] == '-') negative = true;
    if (token[at] < '0' || token[at] > '9') continue;
    exponent = std::min(exponent * 10 + (token[at] - '0'), huge);
  }
  return magnitude + (negative ? -exponent : exponent) < 0;
}

// Finds the exact magnitude of `token`, a number by RFC 8259 §6. Returns false if the number is not whole, or if its
// magnitude has more than 64 bits.
//
// Works on the digits of the text: with a double in between, 3.00000001 might become 3.
bool whole_magnitude(std::string_view token, uint64_t &magnitude) {
  constexpr int64_t huge = int64_t{1} << 40;  // more than a document has digits
  size_t end = 0;
  while (end < token.size() && (token[end] | 0x20) != 'e') end++;
  int64_t exponent = 0;
  bool negative = false;
  for (size_t at = end; at < token.size(); at++) {
    if (token[at] == '-') negative = true;
    if (token[at] < '0' || token[at] > '9') continue;
    exponent = std::min(exponent * 10 + (token[at] - '0'), huge);
  }
  if (negative) exponent = -exponent;
  // The power of ten of the next digit.
  const size_t point = std::min(token.find('.'), end);
  int64_t place = exponent + static_cast<int64_t>(point) - (token[0] == '-' ? 1 : 0) - 1;
  magnitude = 0;
  for (size_t at = token[0] == '-' ? 1 : 0; at < end; at++) {
    if (token[at] == '.') continue;
    const uint64_t digit = static_cast<uint64_t>(token[at] - '0');
    if (place < 0 && digit != 0) return false;
    if (place >= 0 && (magnitude != 0 || digit != 0)) {
      if (__builtin_mul_overflow(magnitude, uint64_t{10}, &magnitude)) return false;
      if (__builtin_add_overflow(magnitude, digit, &magnitude)) return false;
    }
    place--;
  }
  for (; magnitude != 0 && place >= 0; place--) {
    if (__builtin_mul_overflow(magnitude, uint64_t{10}, &magnitude)) return false;
  }
  return true;
}

// Reads a number of up to 15 digits without an exponent, as nearly all are; returns its end, or null for anything else.
// What follows the number is not looked at.
//
// The digits are a whole number below 2^53, and the power of ten is a double too: their quotient is rounded once.
const char *read_short(const char *at, double &number) {
  static constexpr double powers[] = {1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                      1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  constexpr ptrdiff_t max_digits = std::size(powers) - 1;
  const uint64_t negative = *at == '-';
  at += negative;
  uint64_t digits = 0;
  // Numbers of too many digits may wrap around; they are left to others.
  auto read_digits = [&] {
    const char *const start = at;
    for (; *at >= '0' && *at <= '9'; at++) digits = digits * 10 + static_cast<uint64_t>(*at - '0');
    return at - start;
  };
  const bool leads_with_zero = *at == '0';
  const ptrdiff_t whole = read_digits();
  if (whole == 0 || (leads_with_zero && whole > 1)) return nullptr;
  ptrdiff_t fraction = 0;
  if (*at == '.') {
    at++;
    fraction = read_digits();
    if (fraction == 0) return nullptr;
  }
  if (whole + fraction > max_digits) return nullptr;
  // Signs are as good as random, and a branch that is guessed wrong costs more than the number.
  const double magnitude = static_cast<double>(static_cast<int64_t>(digits)) / powers[fraction];
  uint64_t bits;
  std::memcpy(&bits, &magnitude, sizeof bits);
  bits |= negative << 63;
  std::memcpy(&number, &bits, sizeof number);
  return at;
}

// Finds the double nearest to the number in `token`, of any length; returns false if the number is too large.
bool nearest_double(std::string_view token, double &out) {
  const auto result = std::from_chars(token.data(), token.data() + token.size(), out);
  if (result.ec == std::errc::result_out_of_range) {
    if (!is_tiny(token)) return false;
    out = token[0] == '-' ? -0.0 : 0.0;
  }
  return true;
}

// Whether `token` is NaN or an infinity, as some languages write them: NaN, -Infinity, inf.
bool is_non_finite_literal(std::string_view token) {
  if (!token.empty() && (token[0] == '-' || token[0] == '+')) token.remove_prefix(1);
  for (std::string_view literal : {"NaN", "nan", "Infinity", "infinity", "Inf", "inf"}) {
    if (token == literal) return true;
  }
  return false;
}

// Finds the float nearest to the number at `token`, whose nearest double is `nearest`; returns false if the number is
// too large.
//
// Rounding to double and then to float differs from rounding once only if the double lies exactly half way between two
// floats. Every midpoint is a double, so the first rounding never crosses one. For normal floats the midpoints are the
// doubles whose 29 lower bits are 1000…; for those, and for subnormal floats, the text is parsed again.
bool nearest_float(double nearest, const char *token, const char *end, float &out) {
  uint64_t bits;
  std::memcpy(&bits, &nearest, sizeof bits);
  const bool tie = (bits & 0x1FFFFFFF) == 0x10000000;
  const bool subnormal = std::fabs(nearest) < std::numeric_limits<float>::min() && nearest != 0;
  if (__builtin_expect(!tie && !subnormal, true)) {
    out = static_cast<float>(nearest);
    return std::isfinite(out);
  }
  const auto result = std::from_chars(token, end, out);
  if (result.ec == std::errc::result_out_of_range) {
    if (std::fabs(nearest) > 1) return false;
    out = std::signbit(nearest) ? -0.0f : 0.0f;
  }
  return true;
}

bool is_whole(float number) {
  constexpr float all_whole = 1 << std::numeric_limits<float>::digits;
  return std::fabs(number) >= all_whole ||
         number == static_cast<float>(static_cast<int32_t>(number));
}

// Whether `nearest`, a whole number, differs from the number in `token` (3.00000001, 16777217), which is then no id.
// `nearest` and `number` are the float and the double nearest to `token`.
bool is_rounded(double number, float nearest, std::string_view token) {
  // A double tells numbers of up to 15 digits apart, and a text of up to 5 bytes is 0 as a double only if it is 0
  // (1e-99 is not).
  const size_t exact_bytes = number == 0 ? 5 : 16;
  if (static_cast<double>(nearest) == number && token.size() <= exact_bytes) return false;
  while (!token.empty() && is_space(token.back())) token.remove_suffix(1);
  uint64_t magnitude;
  return !whole_magnitude(token, magnitude) ||
         static_cast<double>(magnitude) != std::fabs(static_cast<double>(nearest));
}

}  // namespace

struct csj_reader {
  csj_document read(
      const uint8_t *source, size_t length, uint32_t depth_limit, const char *read_members);

 private:
  ondemand::parser parser;
  ondemand::document document;
  std::vector<char> bytes;
  std::vector<csj_node> nodes;
  std::vector<float> numbers;
  std::vector<uint8_t> text;
  uint32_t max_depth = 0;
  // The paths of the members to read, as in csj_read; null for all.
  const char *members = nullptr;
  // The path of the object that is being read.
  std::string prefix;
  // The place and the token at which reading stopped.
  std::string path;
  std::string found;
  size_t offset = 0;

  csj_status read_document(const uint8_t *source, size_t length);
  csj_status read_value(ondemand::value &value, uint32_t depth);
  csj_status read_elements(ondemand::array &array, const char *bracket, uint32_t depth);
  bool read_short_numbers(const char *at, uint32_t &count);
  csj_status read_members(ondemand::object &object, uint32_t depth);
  // Prepends a step to `path`; called at each level as the recursion returns from an error.
  void prepend(std::string_view step) {
    if (!path.empty() && path[0] != '[') path.insert(0, ".");
    path.insert(0, step);
  }
  bool is_read(std::string_view name) const;
  csj_status stop_unread_depth(const char *token) {
    max_depth = CSJ_MAX_UNREAD_DEPTH;
    return stop(csj_status_too_deep, token);
  }
  // Checks that a value of an unread member is JSON, and keeps nothing of it. Each level takes some hundred bytes of
  // stack.
  csj_status check_value(ondemand::value &value, uint32_t depth);
  csj_status read_double(ondemand::value &value, double &number);
  csj_status add_text(std::string_view string);

  // Records the place and the token at which reading stopped; returns `status`.
  csj_status stop(csj_status status, const char *at);
  // The same for an error that simdjson reports, at the document's current location.
  csj_status stop(simdjson::error_code code);
  const char *end() const { return bytes.data() + bytes.size() - simdjson::SIMDJSON_PADDING; }
};

csj_document csj_reader::read(
    const uint8_t *source, size_t length, uint32_t depth_limit, const char *read_members) {
  nodes.clear();
  numbers.clear();
  text.clear();
  path.clear();
  found.clear();
  offset = 0;
  max_depth = depth_limit;
  members = read_members;
  prefix.clear();
  csj_document result = {};
  result.status = read_document(source, length);
  result.max_depth = max_depth;
  result.nodes = nodes.data();
  result.node_count = nodes.size();
  result.numbers = numbers.data();
  result.number_count = numbers.size();
  result.text = text.data();
  result.text_length = text.size();
  result.path = reinterpret_cast<const uint8_t *>(path.data());
  result.path_length = path.size();
  result.found = reinterpret_cast<const uint8_t *>(found.data());
  result.found_length = found.size();
  result.offset = offset;
  return result;
}

csj_status csj_reader::read_document(const uint8_t *source, size_t length) {
  offset = length;
  if (length == 0) return csj_status_empty;
  if (length > std::numeric_limits<uint32_t>::max() - simdjson::SIMDJSON_PADDING) {
    return csj_status_too_large;
  }
  bytes.resize(length + simdjson::SIMDJSON_PADDING);
  std::memcpy(bytes.data(), source, length);
  std::memset(bytes.data() + length, ' ', simdjson::SIMDJSON_PADDING);
  if (parser.capacity() < length) {
    const size_t capacity = std::min(
        std::max({length, parser.capacity() * 2, min_capacity}), simdjson::SIMDJSON_MAXSIZE_BYTES);
    if (parser.allocate(capacity)) return csj_status_out_of_memory;
  }
  if (const auto error = parser.iterate(bytes.data(), length, bytes.size()).get(document)) {
    document = ondemand::document();
    switch (error) {
      case simdjson::EMPTY: return csj_status_empty;
      case simdjson::UTF8_ERROR: return csj_status_not_utf8;
      case simdjson::UNCLOSED_STRING: return csj_status_incomplete;
      case simdjson::UNESCAPED_CHARS: return csj_status_control_character;
      case simdjson::MEMALLOC: return csj_status_out_of_memory;
      case simdjson::CAPACITY: return csj_status_too_large;
      default: return csj_status_syntax;
    }
  }
  const char *start = skip_space(bytes.data(), end());
  if (*start != '{') return stop(csj_status_not_object, start);
  ondemand::object object;
  if (document.get_object().get(object)) {
    // The text does not end with the object's bracket: the object is incomplete, or more text follows.
    bool mismatched;
    const char *more = skip_space(end_of_object(start, end(), mismatched), end());
    if (mismatched) return stop(csj_status_syntax, more);
    return stop(more < end() ? csj_status_trailing : csj_status_incomplete, more);
  }
  const auto status = read_members(object, 1);
  if (status != csj_status_ok) return status;
  const char *rest = nullptr;
  if (document.current_location().get(rest) == simdjson::SUCCESS) {
    return stop(csj_status_trailing, rest);
  }
  return csj_status_ok;
}

csj_status csj_reader::read_value(ondemand::value &value, uint32_t depth) {
  const char *token = value.raw_json_token().data();
  switch (*token) {
    case '[': {
      if (depth >= max_depth) return stop(csj_status_too_deep, token);
      ondemand::array array;
      if (const auto error = value.get_array().get(array)) return stop(error);
      return read_elements(array, token, depth + 1);
    }
    case '{': {
      if (depth >= max_depth) return stop(csj_status_too_deep, token);
      ondemand::object object;
      if (const auto error = value.get_object().get(object)) return stop(error);
      return read_members(object, depth + 1);
    }
    case '"': {
      std::string_view string;
      if (value.get_string().get(string)) return stop(csj_status_syntax, token);
      return add_text(string);
    }
    case 't':
    case 'f': {
      bool boolean;
      if (value.get_bool().get(boolean)) return stop(csj_status_syntax, token);
      nodes.push_back({boolean ? csj_kind_true : csj_kind_false, 0, 0});
      return csj_status_ok;
    }
    case 'n': {
      bool null;
      if (value.is_null().get(null) == simdjson::SUCCESS && null) {
        nodes.push_back({csj_kind_null, 0, 0});
        return csj_status_ok;
      }
      [[fallthrough]];  // nan
    }
    default: {
      double number;
      const std::string_view text = number_of(value);
      const auto status = read_double(value, number);
      if (status != csj_status_ok) return status;
      csj_node node = {csj_kind_number, csj_number_double, 0};
      if (whole_magnitude(text, node.detail)) {
        node.count = *token == '-' ? csj_number_negative_whole : csj_number_whole;
      } else {
        std::memcpy(&node.detail, &number, sizeof number);
      }
      nodes.push_back(node);
      return csj_status_ok;
    }
  }
}

// Adds the numbers of an array whose elements start at `at`, if it holds nothing but short numbers that a float does
// not make whole ones of; else adds none, and returns false.
//
// simdjson's iterator and the checks of any value take twice as long as reading such a number does.
bool csj_reader::read_short_numbers(const char *at, uint32_t &count) {
  const size_t start = numbers.size();
  auto give_up = [&] {
    numbers.resize(start);
    return false;
  };
  while (true) {
    const char *const token = skip_space(at, end());
    double number;
    float nearest;
    at = read_short(token, number);
    if (at == nullptr || !nearest_float(number, token, end(), nearest)) return give_up();
    if (static_cast<double>(nearest) != number && is_whole(nearest)) return give_up();
    numbers.push_back(nearest);
    // Yields the core, each 0.1 ms or so, to threads that wait for it.
    if (numbers.size() % 8192 == 0) sched_yield();
    at = skip_space(at, end());
    if (*at == ']') break;
    if (*at != ',') return give_up();
    at++;
  }
  count = static_cast<uint32_t>(numbers.size() - start);
  // An object that ends here is for the iterator to report.
  return skip_space(at + 1, end()) < end() || give_up();
}

// Reads the elements after `bracket`: if they are numbers, into one node, else into a node each.
csj_status csj_reader::read_elements(
    ondemand::array &array, const char *bracket, uint32_t depth) {
  const size_t index = nodes.size();
  nodes.push_back({csj_kind_array, 0, numbers.size()});
  uint32_t count = 0;
  if (read_short_numbers(bracket + 1, count)) {
    // Passes over the elements.
    if (const auto error = array.raw_json().error()) return stop(error);
    nodes[index].kind = csj_kind_numbers;
    nodes[index].count = count;
    return csj_status_ok;
  }
  bool only_numbers = true;
  bool all_whole = true;
  uint64_t first_rounded = 0;
  csj_status status = csj_status_ok;
  for (auto element : array) {
    ondemand::value value;
    if (const auto error = element.get(value)) {
      status = stop(error);
      break;
    }
    const std::string_view text = value.raw_json_token();
    const char *token = text.data();
    const bool numeric = *token == '-' || (*token >= '0' && *token <= '9');
    if (count == 0) only_numbers = numeric;
    if (only_numbers && numeric) {
      double number = 0;
      float nearest = 0;
      status = read_double(value, number);
      if (status == csj_status_ok && !nearest_float(number, token, end(), nearest)) {
        status = stop(csj_status_not_finite, token);
      }
      if (all_whole && status == csj_status_ok) {
        all_whole = is_whole(nearest);
        if (all_whole && first_rounded == 0 && is_rounded(number, nearest, text)) {
          first_rounded = uint64_t{count} + 1;
        }
      }
      numbers.push_back(nearest);
      // Yields the core, each 0.2 ms or so, to threads that wait for it.
      if (numbers.size() % 8192 == 0) sched_yield();
    } else {
      status = read_value(value, depth);
      if (status == csj_status_ok && only_numbers) status = stop(csj_status_mixed, token);
    }
    if (status != csj_status_ok) break;
    count++;
  }
  if (status != csj_status_ok) {
    prepend("[" + std::to_string(count) + "]");
    return status;
  }
  nodes[index].count = count;
  if (count > 0 && only_numbers) {
    nodes[index].kind = csj_kind_numbers;
    nodes[index].detail |= first_rounded << 32;
  } else {
    nodes[index].detail = nodes.size();
  }
  return csj_status_ok;
}

// Reads the members after `{`.
csj_status csj_reader::read_members(ondemand::object &object, uint32_t depth) {
  const size_t index = nodes.size();
  nodes.push_back({csj_kind_object, 0, 0});
  uint32_t count = 0;
  for (auto member : object) {
    ondemand::field field;
    std::string_view name;
    if (const auto error = std::move(member).get(field)) return stop(error);
    const char *quote = field.key().raw() - 1;
    if (field.unescaped_key().get(name)) return stop(csj_status_syntax, quote);
    csj_status status;
    if (members != nullptr && !is_read(name)) {
      // Adds the name first: reading the value may overwrite its text.
      add_text(name);
      status = check_value(field.value(), depth);
      if (status == csj_status_ok) {
        nodes.push_back({csj_kind_null, 0, 0});
        count++;
        continue;
      }
      prepend(name.substr(0, max_name_bytes));
      return status;
    }
    add_text(name);
    const size_t outer = prefix.size();
    if (members != nullptr) prefix.append(name).append(".");
    status = read_value(field.value(), depth);
    prefix.resize(outer);
    if (status != csj_status_ok) {
      prepend(name.substr(0, max_name_bytes));
      return status;
    }
    count++;
  }
  nodes[index].count = count;
  nodes[index].detail = nodes.size();
  return csj_status_ok;
}

// Whether `members` lists the member `name` of the object whose path is in `prefix`.
bool csj_reader::is_read(std::string_view name) const {
  // In `members`, spaces separate the paths and points the names of a path: a name that has either can't be listed.
  if (name.find_first_of(" .") != name.npos) return false;
  for (std::string_view rest = members; !rest.empty();) {
    const size_t length = rest.find(' ');
    const std::string_view one = rest.substr(0, length);
    if (one.size() == prefix.size() + name.size() && one.substr(0, prefix.size()) == prefix &&
        one.substr(prefix.size()) == name) {
      return true;
    }
    rest.remove_prefix(length == rest.npos ? rest.size() : length + 1);
  }
  return false;
}

csj_status csj_reader::check_value(ondemand::value &value, uint32_t depth) {
  const char *token = value.raw_json_token().data();
  switch (*token) {
    case '[': {
      if (depth >= CSJ_MAX_UNREAD_DEPTH) return stop_unread_depth(token);
      ondemand::array array;
      if (const auto error = value.get_array().get(array)) return stop(error);
      for (auto element : array) {
        ondemand::value inner;
        if (const auto error = element.get(inner)) return stop(error);
        const auto status = check_value(inner, depth + 1);
        if (status != csj_status_ok) return status;
      }
      return csj_status_ok;
    }
    case '{': {
      if (depth >= CSJ_MAX_UNREAD_DEPTH) return stop_unread_depth(token);
      ondemand::object object;
      if (const auto error = value.get_object().get(object)) return stop(error);
      for (auto member : object) {
        ondemand::field field;
        std::string_view name;
        if (const auto error = std::move(member).get(field)) return stop(error);
        const char *quote = field.key().raw() - 1;
        if (field.unescaped_key().get(name)) return stop(csj_status_syntax, quote);
        const auto status = check_value(field.value(), depth + 1);
        if (status != csj_status_ok) return status;
      }
      return csj_status_ok;
    }
    case '"': {
      std::string_view string;
      if (value.get_string().get(string)) return stop(csj_status_syntax, token);
      return csj_status_ok;
    }
    case 't':
    case 'f': {
      bool boolean;
      if (value.get_bool().get(boolean)) return stop(csj_status_syntax, token);
      return csj_status_ok;
    }
    case 'n': {
      bool null;
      if (value.is_null().get(null) || !null) return stop(csj_status_syntax, token);
      return csj_status_ok;
    }
    default: return is_number(number_of(value)) ? csj_status_ok : stop(csj_status_syntax, token);
  }
}

csj_status csj_reader::read_double(ondemand::value &value, double &number) {
  // The token includes white space after the number.
  std::string_view token = value.raw_json_token();
  // An exponent of 19 digits may wrap around in simdjson, which then reads a huge number as 0.
  const auto error = value.get_double().get(number);
  if (!error && (number != 0 || token.size() < min_wrapping_bytes)) return csj_status_ok;
  token = number_of(value);
  if (is_number(token)) {
    return nearest_double(token, number) ? csj_status_ok
                                         : stop(csj_status_not_finite, token.data());
  }
  return stop(
      is_non_finite_literal(token) ? csj_status_not_finite : csj_status_syntax, token.data());
}

csj_status csj_reader::add_text(std::string_view string) {
  nodes.push_back({csj_kind_string, static_cast<uint32_t>(string.size()), text.size()});
  text.insert(text.end(), string.begin(), string.end());
  return csj_status_ok;
}

csj_status csj_reader::stop(csj_status status, const char *at) {
  offset = static_cast<size_t>(at - bytes.data());
  found = token_of(at, end());
  return status;
}

csj_status csj_reader::stop(simdjson::error_code code) {
  const char *at = end();
  if (document.current_location().get(at) != simdjson::SUCCESS) at = end();
  const auto status = code == simdjson::MEMALLOC ? csj_status_out_of_memory
                      : code == simdjson::INCOMPLETE_ARRAY_OR_OBJECT || at >= end()
                          ? csj_status_incomplete
                          : csj_status_syntax;
  return stop(status, status == csj_status_incomplete ? end() : at);
}

csj_reader *csj_reader_create(void) { return new (std::nothrow) csj_reader; }

void csj_reader_destroy(csj_reader *reader) { delete reader; }

csj_document csj_read(
    csj_reader *reader, const uint8_t *bytes, size_t length, uint32_t max_depth,
    const char *members) {
  try {
    return reader->read(bytes, length, max_depth, members);
  } catch (...) {  // operator new throws where memory is short
    csj_document failure = {};
    failure.status = csj_status_out_of_memory;
    return failure;
  }
}
