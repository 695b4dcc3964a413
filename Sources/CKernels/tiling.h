// Chooses the tiles of a call. Included once for each variant, by body.h.
//
// A tile is some rows by some panels, whose sums stay in registers. Each variant's file says how large its tiles are:
// CK_TILE_ROWS and CK_TILE_SUMS for floats, CK_DOT_ROWS and CK_DOT_SUMS for int8.

/// The number of panels in a packed block of units with `gates` outputs each.
CK_INLINE size_t block_panels(size_t gates) { return gates == 1 ? 4 : gates; }

/// The part of a block that a step multiplies by; depends on the kind of cell.
typedef struct {
  /// The number of outputs of a unit, and of panels of a block.
  size_t gates, block;
  /// Of the panels that the step multiplies by: the first, their number, and the number for a unit.
  size_t first, panels, unit_panels;
  /// Which sums start from the recurrent bias: with `apart` those of the third panel, with `from_bias` all.
  bool apart, from_bias;
} pass;

CK_INLINE pass pass_of(ck_cell_kind kind) {
  switch (kind) {
    case CK_LSTM: return (pass){.gates = 4, .block = 4, .panels = 4, .unit_panels = 4};
    case CK_GRU: return (pass){.gates = 3, .block = 3, .panels = 3, .unit_panels = 3, .apart = true};
    case CK_GRU_GATES: return (pass){.gates = 3, .block = 3, .panels = 2, .unit_panels = 2};
    case CK_GRU_CANDIDATE:
      return (pass){.gates = 3, .block = 3, .first = 2, .panels = 1, .unit_panels = 1};
    case CK_RNN: return (pass){.gates = 1, .block = 4, .panels = 4, .unit_panels = 1};
    case CK_PRODUCT:
      return (pass){.gates = 1, .block = 4, .panels = 4, .unit_panels = 1, .from_bias = true};
  }
  __builtin_trap();  // not a cell
}

/// How a call is divided: the most blocks whose cells are finished together, the panels of a tile, and the rows of a
/// band.
typedef struct {
  size_t blocks, panels, height;
} shape;

/// The panels of the widest tile, and the most panels of a set (panels that lie side by side).
#define CK_MOST_PANELS 16
#define CK_MOST_ACROSS 4
/// All heights of tiles in rows, and all breadths: panels, and how many of them lie side by side.
#define CK_EACH_HEIGHT(X) X(1) X(2) X(3) X(4) X(5) X(6)
#if CK_INTERLEAVED
#define CK_EACH_BREADTH(X)                                                                \
  X(4, 4) X(8, 4) X(12, 4) X(16, 4) X(3, 3) X(6, 3) X(9, 3) X(12, 3) X(2, 2) X(4, 2) X(6, 2) \
  X(8, 2) X(1, 1) X(2, 1) X(3, 1) X(4, 1)
#else
#define CK_EACH_BREADTH(X) X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(6, 1)
#endif
/// The fewest rows of a tile that prefetches the next block. Tiles with fewer rows are rare, or the only tile of their
/// call.
#define CK_MIN_PREFETCH_ROWS (CK_ROWS < 3 ? CK_ROWS : 3)
/// Whether the sums of a tile of `rows` × `panels` fit the registers.
#define CK_FITS(rows, panels) ((rows) <= CK_ROWS && (rows) * (panels) * CK_PARTS <= CK_SUMS)

/// The most rows × panels whose sums wait in a buffer until their cells are finished.
#define CK_BAND_PANELS ((size_t)192)
/// The most rows of a band. For one band at a time, the gates of a block are computed one after the other, then
/// applied.
#define CK_BAND_ROWS ((size_t)48)

CK_INLINE size_t least(size_t a, size_t b) { return a < b ? a : b; }

/// The first of `parts` nearly equal parts of what is left.
CK_INLINE size_t next_part(size_t left, size_t parts) { return (left + parts - 1) / parts; }

/// The number of panels of the next tile, at most `most`; `left` panels are left, in sets of `set`.
CK_INLINE size_t panels_of(size_t left, size_t most, size_t set) {
  const size_t some = least(left, most);
#if CK_INTERLEAVED
  return left >= set ? some / set * set : 1;
#else
  (void)set;
  return some == 5 ? 4 : some;
#endif
}

/// The number of panels of a tile that lie side by side.
CK_INLINE size_t across_of(size_t panels, size_t set) {
  return CK_INTERLEAVED && panels >= set ? set : 1;
}

/// - Parameters:
///   - set: the number of panels of a block that the step multiplies by.
///   - most_rows: the rows of the tallest tile.
///   - sums: the number of registers for sums.
CK_INLINE shape shape_of(size_t rows, size_t set, size_t most_rows, size_t sums) {
  // As few tiles as possible, of nearly equal height.
  const size_t tiles = (rows + most_rows - 1) / most_rows, tallest = (rows + tiles - 1) / tiles;
  const size_t most = sums / (tallest * CK_PARTS);
#if CK_INTERLEAVED
  // A tile takes all panels of a block. With few rows it takes several blocks, so that enough sums are under way to hide
  // the latency of a multiply-add.
  const size_t blocks = most / set < 1 ? 1 : least(most / set, 4);
  return (shape){blocks, blocks * set, most_rows};
#else
  // A tile takes one panel, or several if it has few rows.
  size_t panels = most >= 4 ? 4 : most >= 2 ? 2 : 1;
  if (set == 3 && most >= 3) panels = most >= 6 ? 6 : 3;
  if (set == 2 && panels > 2) panels = 2;
  const size_t blocks = set % panels == 0 ? 1 : panels % set == 0 ? panels / set : panels;
  return (shape){blocks, panels, least(CK_BAND_ROWS, CK_BAND_PANELS / (blocks * set))};
#endif
}
