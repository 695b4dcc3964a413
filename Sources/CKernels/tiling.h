// Which tiles a call is cut into: the one place that says so. Included once a variant, by body.h.
//
// A tile is some rows by some panels whose sums stay in registers. What a variant has room for its file says: CK_TILE_ROWS and
// CK_TILE_SUMS, of bytes CK_DOT_ROWS and CK_DOT_SUMS.

/// Panels of a packed block of units with so many outputs each.
CK_INLINE size_t block_panels(size_t gates) { return gates == 1 ? 4 : gates; }

/// What a step takes of a block, by its cell.
typedef struct {
  /// Outputs that a unit has, and panels that a block has.
  size_t gates, block;
  /// The panels that the step multiplies by: the first, how many, and how many of them are a unit's.
  size_t first, panels, unit_panels;
  /// Whether the third panel's sums start from the recurrent bias, or all do.
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

/// Blocks of the largest group that is finished at a time, panels of its tiles, and rows of its bands.
typedef struct {
  size_t blocks, panels, height;
} shape;

/// Panels of the widest tile, and the most panels of a set.
#define CK_MOST_PANELS 16
#define CK_MOST_ACROSS 4
/// The heights that tiles have, and their breadths: panels, and how many of them lie side by side.
#define CK_EACH_HEIGHT(X) X(1) X(2) X(3) X(4) X(5) X(6)
#if CK_TOGETHER
#define CK_EACH_BREADTH(X)                                                                \
  X(4, 4) X(8, 4) X(12, 4) X(16, 4) X(3, 3) X(6, 3) X(9, 3) X(12, 3) X(2, 2) X(4, 2) X(6, 2) \
  X(8, 2) X(1, 1) X(2, 1) X(3, 1) X(4, 1)
#else
#define CK_EACH_BREADTH(X) X(1, 1) X(2, 1) X(3, 1) X(4, 1) X(6, 1)
#endif
/// Rows from which on a tile has time to fetch what comes after it: of a call of few rows there is but one tile.
#define CK_FETCHING (CK_ROWS < 3 ? CK_ROWS : 3)
/// Whether the registers hold the sums of such a tile.
#define CK_FITS(rows, panels) ((rows) <= CK_ROWS && (rows) * (panels) * CK_PARTS <= CK_SUMS)

/// Rows of a panel whose sums are kept until their cells are finished, at most.
#define CK_BAND_PANELS ((size_t)192)
/// Rows for which the gates of a block are computed, one after the other, before they are applied.
#define CK_BAND_ROWS ((size_t)48)

CK_INLINE size_t least(size_t a, size_t b) { return a < b ? a : b; }

/// Panels of a tile that takes some of `left`, of sets of `set` panels: at most `most`.
CK_INLINE size_t panels_of(size_t left, size_t most, size_t set) {
  const size_t some = least(left, most);
#if CK_TOGETHER
  return left >= set ? some / set * set : 1;
#else
  (void)set;
  return some == 5 ? 4 : some;
#endif
}

/// Of the panels of a tile those that lie side by side.
CK_INLINE size_t across_of(size_t panels, size_t set) {
  return CK_TOGETHER && panels >= set ? set : 1;
}

/// - Parameters:
///   - set: panels of a block that are taken.
///   - most_rows: of the tallest tile.
///   - sums: registers.
CK_INLINE shape shape_of(size_t rows, size_t set, size_t most_rows, size_t sums) {
  // Tiles are as few as the rows take, and of nearly equal height.
  const size_t tiles = (rows + most_rows - 1) / most_rows, tallest = (rows + tiles - 1) / tiles;
  const size_t most = sums / (tallest * CK_PARTS);
#if CK_TOGETHER
  // All panels of a block in one tile; with few rows of several blocks, so that there are sums enough under way to hide
  // the latency of one.
  const size_t blocks = most / set < 1 ? 1 : least(most / set, 4);
  return (shape){blocks, blocks * set, most_rows};
#else
  // One panel at a time for a band of many rows, or several where there are few.
  size_t panels = most >= 4 ? 4 : most >= 2 ? 2 : 1;
  if (set == 3 && most >= 3) panels = most >= 6 ? 6 : 3;
  if (set == 2 && panels > 2) panels = 2;
  const size_t blocks = set % panels == 0 ? 1 : panels % set == 0 ? panels / set : panels;
  return (shape){blocks, panels, least(CK_BAND_ROWS, CK_BAND_PANELS / (blocks * set))};
#endif
}
