// Reads a JSON document into a few flat buffers, through simdjson; and writes floats.
//
// One call reads a whole document: a call for each number would cost more than reading the number. The document becomes a
// list of nodes in the order of the text (a container before its members), one buffer of floats and one of text. An
// array of numbers is a single node, whatever its length: `[[1,2],[3,4]]` is three nodes and four floats.
//
// The input may be any bytes: they are checked by RFC 8259 and as UTF-8. Nothing here throws or aborts.
#ifndef CAROUSEL_CSIMDJSON_H
#define CAROUSEL_CSIMDJSON_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum __attribute__((enum_extensibility(closed))) csj_kind : uint32_t {
  csj_kind_null,
  csj_kind_false,
  csj_kind_true,
  /// `detail` is the bit pattern of the nearest double or, for a whole number (5, 5.0, 50e-1) of at most 64 bits, its
  /// magnitude; `count` is a `csj_number` that says which.
  csj_kind_number,
  /// `count` bytes of `text` from `detail`: unescaped UTF-8.
  csj_kind_string,
  /// An array of numbers only: `count` (at least 1) floats of `numbers`. The lower 32 bits of `detail` are the index of
  /// the first. The upper 32 bits are the position, from 1, of the first element whose float is a whole number but not
  /// the number in the text (3.00000001, 16777217); 0 if there is none. Elements are checked only up to the first whose
  /// float is not whole: ids are whole.
  csj_kind_numbers,
  /// Any other array, an empty one too: `count` elements follow; `detail` is the index of the node after the last.
  csj_kind_array,
  /// `count` members follow, each its name (a string) and its value; `detail` as for an array.
  csj_kind_object,
} csj_kind;

typedef struct csj_node {
  csj_kind kind;
  uint32_t count;
  uint64_t detail;
} csj_node;

/// The `count` of a node of kind `number`: the meaning of its `detail`.
typedef enum __attribute__((enum_extensibility(closed))) csj_number : uint32_t {
  csj_number_double,
  csj_number_whole,
  /// The magnitude of a negative number, or of -0.
  csj_number_negative_whole,
} csj_number;

typedef enum __attribute__((enum_extensibility(closed))) csj_status : uint32_t {
  csj_status_ok,
  csj_status_empty,
  /// The document has nearly 2³² bytes or more.
  csj_status_too_large,
  csj_status_out_of_memory,
  csj_status_not_utf8,
  /// A string holds a control character that is not escaped.
  csj_status_control_character,
  /// The text ends inside a string, an array or an object.
  csj_status_incomplete,
  /// Not JSON, near `offset`.
  csj_status_syntax,
  /// The document does not begin as an object; `found` is its first token.
  csj_status_not_object,
  /// More text follows the document, from `offset`.
  csj_status_trailing,
  /// Arrays and objects nest deeper than `max_depth` of the result, at `path`.
  csj_status_too_deep,
  /// `found`, at `path`: NaN, an infinity, or a number beyond the range of a float (of a double, outside arrays).
  csj_status_not_finite,
  /// `found`, at `path`: something other than a number after numbers of the same array.
  csj_status_mixed,
} csj_status;

/// What was read, or why reading failed. The pointers are valid until the reader's next use.
typedef struct csj_document {
  csj_status status;
  /// The limit on nesting: the caller's or, if it was in an unread member that the text nested too deep,
  /// `CSJ_MAX_UNREAD_DEPTH`.
  uint32_t max_depth;
  const csj_node *nodes;
  size_t node_count;
  /// Each is the float nearest to the decimal text of a number in an array of numbers (ties to even), rounded once.
  const float *numbers;
  size_t number_count;
  const uint8_t *text;
  size_t text_length;
  /// The path of the offending element, as in `inputs[3][17]`; not terminated; long names are cut.
  const uint8_t *path;
  size_t path_length;
  /// The offending token's first bytes; not terminated; may end inside a character.
  const uint8_t *found;
  size_t found_length;
  /// The offending byte, approximately.
  size_t offset;
} csj_document;

/// A reader, whose buffers are reused from document to document. One thread at a time may use it.
typedef struct csj_reader csj_reader;

/// Returns NULL when memory is short.
csj_reader *csj_reader_create(void);
void csj_reader_destroy(csj_reader *reader);

/// Reads the document in `length` bytes; the bytes are copied (simdjson reads beyond their end).
/// At most `max_depth` arrays and objects may nest; the reader recurses once a level.
///
/// `members`, unless NULL, has the paths of the members to read, each followed by a space:
/// "model inputs inputs.name ". Other members appear in the document with the value null. They must be JSON and nest
/// at most `CSJ_MAX_UNREAD_DEPTH` levels, but may hold numbers and arrays of any kind.
csj_document csj_read(
    csj_reader *reader, const uint8_t *bytes, size_t length, uint32_t max_depth,
    const char *members);

/// The most levels of arrays and objects in members that are not read.
enum { CSJ_MAX_UNREAD_DEPTH = 128 };

/// Writes the shortest decimal text whose nearest float is `value`, which must be finite, as Swift's `description` does:
/// from 0.0001 to 2^24 with a point and no exponent (5.0), beyond with an exponent of two digits (5e-05). Returns its
/// length.
///
/// Through the standard library's `std::to_chars` (Ryū), which takes half as long as `description`.
size_t csj_write_float(float value, char *text);

/// The most bytes of a float's text: -1.17549435e-38.
enum { CSJ_MAX_FLOAT_BYTES = 15 };

#ifdef __cplusplus
}
#endif

#endif
