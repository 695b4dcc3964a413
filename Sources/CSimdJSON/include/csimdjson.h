// Reads a JSON document into a few flat buffers, through simdjson.
//
// One call reads a document whole, so that no number crosses the language boundary on its own. The document becomes a
// list of nodes in the order of the text (a container before its members) beside one buffer of floats and one of
// text. An array of numbers is a single node, whatever its length: `[[1,2],[3,4]]` is three nodes and four floats.
//
// Any bytes may be given: they are checked as RFC 8259 and UTF-8, and nothing here throws or aborts.
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
  /// `detail` is the bit pattern of the nearest double. Where the number is whole, however it is written (5, 5.0, 50e-1),
  /// and its magnitude has at most 64 bits, `detail` is that magnitude, and `count` says so: see `csj_number`.
  csj_kind_number,
  /// `count` bytes of `text` from `detail`, escapes undone, UTF-8.
  csj_kind_string,
  /// An array of numbers and nothing else: `count` (at least 1) floats from the lower 32 bits of `detail`. The upper ones
  /// have the place, from 1, of the first that is a whole number by rounding only (3.00000001), or 0: as far as all before
  /// it are whole, as ids are.
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

/// What the `count` of a node of kind `number` says of its `detail`.
typedef enum __attribute__((enum_extensibility(closed))) csj_number : uint32_t {
  csj_number_double,
  csj_number_whole,
  /// The magnitude of a negative number; of -0 too.
  csj_number_negative_whole,
} csj_number;

typedef enum __attribute__((enum_extensibility(closed))) csj_status : uint32_t {
  csj_status_ok,
  csj_status_empty,
  /// More bytes than 32 bits count.
  csj_status_too_large,
  csj_status_out_of_memory,
  csj_status_not_utf8,
  /// A string holds a control character that is not escaped.
  csj_status_control_character,
  /// The text ends inside a string, an array or an object.
  csj_status_incomplete,
  /// Not JSON, near `offset`.
  csj_status_syntax,
  /// The document is JSON but not an object; `found` starts it.
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

/// What was read, or why it could not be. The pointers are valid until the reader's next use.
typedef struct csj_document {
  csj_status status;
  /// The levels that may nest: what the caller said, or where a member that is not read is too deep, the limit of those.
  uint32_t max_depth;
  const csj_node *nodes;
  size_t node_count;
  /// Each the float nearest to its decimal text (ties to even), with no rounding to double in between.
  const float *numbers;
  size_t number_count;
  const uint8_t *text;
  size_t text_length;
  /// The offending element, as in `inputs[3][17]`; not terminated; long names are cut.
  const uint8_t *path;
  size_t path_length;
  /// The offending token's first bytes; not terminated; may end inside a character.
  const uint8_t *found;
  size_t found_length;
  /// The offending byte, as near as is known.
  size_t offset;
} csj_document;

/// Buffers that are used again from document to document. One thread at a time may use a reader.
typedef struct csj_reader csj_reader;

/// NULL when memory is short.
csj_reader *csj_reader_create(void);
void csj_reader_destroy(csj_reader *reader);

/// Reads the document in `length` bytes; the bytes are copied (simdjson reads beyond their end).
/// At most `max_depth` arrays and objects may nest; the reader recurses once a level.
///
/// `members`, unless it is NULL, names the members that are read, by their paths, a space behind each:
/// "model inputs inputs.name ". Of others the document has the name, and null: they must be JSON, and nest
/// at most `CSJ_MAX_UNREAD_DEPTH` levels, but their numbers and arrays may be of any kind.
csj_document csj_read(
    csj_reader *reader, const uint8_t *bytes, size_t length, uint32_t max_depth,
    const char *members);

/// The levels of arrays and objects in a document some members of which are not read.
enum { CSJ_MAX_UNREAD_DEPTH = 128 };

#ifdef __cplusplus
}
#endif

#endif
