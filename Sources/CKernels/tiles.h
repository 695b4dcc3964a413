// The GEMM and the sums of a cell's step at one precision of weights. Included once for each precision by body.h, which
// defines
//   CK_AT(x)                           the name of x at this precision
//   CK_INTEGER                         whether sums are of integers (dot.h), converted to floats when they are complete
//   CK_STEPS_AT_ONCE                   steps in one iteration of the loop
//   weight_t                           the type of weights in a tile, and of packed weights
//   CK_AT(column)(const weight_t *)    loads a panel's weights for one step
// and for integers also
//   CK_ROWS, CK_SUMS    rows of the tallest tile, and registers of sums
//   CK_STEP             how many of a column's weights lie together; a step takes so many
//   input_t             the type of stored inputs
//   CK_AT(broadcast)    a step's inputs of one row, in every lane
//   CK_AT(add)          a sum after a step
//   CK_AT(offset)       a sum before its first step
//
// A tile is `rows` rows by `panels` panels, whose sums stay in registers through all of k. A step adds one k to
// the sums, or with int8 CK_STEP of them.

//   sum_t    a register of sums, or of a step's weights or inputs
#if CK_INTEGER
#define sum_t vi
#else
#define CK_ROWS CK_TILE_ROWS
#define CK_SUMS CK_TILE_SUMS
#define CK_STEP 1
#define sum_t vf
#define input_t float
CK_INLINE vf CK_AT(broadcast)(const float *input) { return (vf)*input; }
CK_INLINE vf CK_AT(add)(vf sum, vf weights, vf inputs) { return fma_(weights, inputs, sum); }
#endif

/// The weights of a tile. Panels that lie side by side are a set: `set` is the distance from one set to the next,
/// `step` the distance from one step to the next.
typedef struct {
  const void *first;
  size_t set, step;
} CK_AT(weights);

/// - Parameters:
///   - block: the number of panels in a block.
///   - column: the packed column at which the tile begins, the first of a panel.
///   - columns: all packed columns, in whole panels.
///   - set: the number of columns from one set of panels to the next.
CK_INLINE CK_AT(weights) CK_AT(weights_at)(
    const ck_weights *weights, size_t block, size_t steps, size_t column, size_t columns,
    size_t set) {
  // The columns that lie side by side with `column` begin at column `start`; there are `width` of them.
  const size_t beside = (CK_INTERLEAVED ? block : 1) * CK_LANES;
  const size_t start = column / beside * beside;
  const size_t width = columns - start < beside ? columns - start : beside;
  return (CK_AT(weights)){
      (const weight_t *)weights->panels + (start * steps + column - start) * CK_STEP,
      set * steps * CK_STEP, width * CK_STEP};
}

/// The next inputs of a tile's rows: those of the first three rows from `low` on, those of the others from `high` on.
/// An address is one of these pointers plus at most twice the stride, so that only two pointers advance with k, not one
/// for each row.
typedef struct {
  const input_t *low, *high;
  size_t stride;
} CK_AT(rows);

CK_INLINE const input_t *CK_AT(row_at)(const CK_AT(rows) *rows, int row) {
  return row < 3 ? rows->low + (size_t)row * rows->stride : rows->high + (size_t)(row - 3) * rows->stride;
}

/// sum[row][panel] += weights[panel][k] · input[row][k] for one step, the `i`-th from here.
///
/// - Parameters:
///   - set: the next weights of each set of panels.
///   - step: the distance to the weights of the next step.
///   - ahead: whether to prefetch weights, CK_AHEAD bytes before they are read.
CK_INLINE void CK_AT(add_step)(
    const int rows, const int panels, const int across, const bool ahead,
    sum_t sum[][CK_MOST_PANELS][CK_PARTS], const CK_AT(rows) *inputs, const weight_t *const set[],
    size_t step, size_t i) {
  // With a tile of one panel in several registers, the panel's weights stay in registers and inputs are loaded row by
  // row. With other tiles, the inputs of all rows stay in registers and weights are loaded one by one. To keep both
  // needs more registers than AVX2 has.
  const bool weights_stay = CK_PARTS > 1 && panels == 1;
  sum_t x[CK_ROWS];
  if (!weights_stay) {
    CK_UNROLL for (int r = 0; r < rows; r++) {
      x[r] = CK_AT(broadcast)(CK_AT(row_at)(inputs, r) + i * CK_STEP);
    }
  }
  CK_UNROLL for (int p = 0; p < panels; p++) {
    const weight_t *panel = set[p / across] + i * step + (size_t)(p % across) * CK_LANES * CK_STEP;
    if (ahead && i * CK_LANES * CK_STEP * sizeof *panel % CK_LINE == 0) {
      __builtin_prefetch((const char *)panel + CK_AHEAD);
    }
    sum_t column[CK_PARTS];
    if (weights_stay) {
      CK_UNROLL for (int part = 0; part < CK_PARTS; part++) {
        column[part] = CK_AT(column)(panel + part * CK_WIDTH * CK_STEP);
      }
      CK_UNROLL for (int r = 0; r < rows; r++) {
        x[0] = CK_AT(broadcast)(CK_AT(row_at)(inputs, r) + i * CK_STEP);
        CK_UNROLL for (int part = 0; part < CK_PARTS; part++) {
          sum[r][p][part] = CK_AT(add)(sum[r][p][part], column[part], x[0]);
        }
      }
    } else {
      CK_UNROLL for (int part = 0; part < CK_PARTS; part++) {
        column[0] = CK_AT(column)(panel + part * CK_WIDTH * CK_STEP);
        CK_UNROLL for (int r = 0; r < rows; r++) {
          sum[r][p][part] = CK_AT(add)(sum[r][p][part], column[0], x[r]);
        }
        // Keeps the compiler from loading weights before they are needed, for which there are no registers.
        if (CK_STEPS_AT_ONCE > 1) __asm__ volatile("" ::: "memory");
      }
    }
  }
}

/// Adds `count` times `at_once` steps to the sums.
///
/// - Parameter next: memory to prefetch, a cache line at each step; or NULL.
CK_INLINE void CK_AT(add_steps)(
    const int rows, const int panels, const int across, const bool ahead, const size_t at_once,
    sum_t sum[][CK_MOST_PANELS][CK_PARTS], CK_AT(rows) *inputs, const weight_t *set[], size_t step,
    size_t count, const char *next) {
  for (; count > 0; count--) {
    if (next) {
      CK_UNROLL for (size_t i = 0; i < at_once; i++) __builtin_prefetch(next + i * CK_LINE, 0, 2);
      next += at_once * CK_LINE;
    }
    CK_UNROLL for (size_t i = 0; i < at_once; i++) {
      CK_AT(add_step)(rows, panels, across, ahead, sum, inputs, set, step, i);
      // Keeps the compiler from loading the weights of several steps together, for which there are no registers.
      if (at_once > 1) __asm__ volatile("" ::: "memory");
    }
    inputs->low += at_once * CK_STEP;
    if (rows > 3) {
      inputs->high += at_once * CK_STEP;
      // Keeps the compiler from computing `high` from `low` at each step.
      __asm__("" : "+r"(inputs->high));
    }
    CK_UNROLL for (int s = 0; s * across < panels; s++) set[s] += at_once * step;
  }
}

/// sum[row][panel] += weights[panel][k] · input[row][k] for all k, in ascending order.
///
/// - Parameters:
///   - ahead: whether to prefetch weights.
///   - next: memory to prefetch, a cache line at each step; or NULL.
CK_INLINE void CK_AT(accumulate)(
    const int rows, const int panels, const int across, sum_t sum[][CK_MOST_PANELS][CK_PARTS],
    const input_t *restrict input, size_t input_stride, const CK_AT(weights) weights, size_t steps,
    bool ahead, const char *next) {
  CK_AT(rows) inputs = {input, input + 3 * input_stride, input_stride};
  const weight_t *sets[CK_MOST_PANELS];
  CK_UNROLL for (int s = 0; s * across < panels; s++) {
    sets[s] = (const weight_t *)weights.first + (size_t)s * weights.set;
  }
  // In panels that lie one after the other, the distance between steps is a constant.
  const size_t step = CK_INTERLEAVED ? weights.step : CK_LANES * CK_STEP;
  const size_t turns = steps / CK_STEPS_AT_ONCE, left = steps % CK_STEPS_AT_ONCE;
  if (rows < CK_MIN_PREFETCH_ROWS) next = NULL;
  // A tile of one or two rows is limited by the memory; the CPU's own prefetching does best there.
  if (rows > 2 && ahead) {
    CK_AT(add_steps)(
        rows, panels, across, true, CK_STEPS_AT_ONCE, sum, &inputs, sets, step, turns, next);
  } else {
    CK_AT(add_steps)(
        rows, panels, across, false, CK_STEPS_AT_ONCE, sum, &inputs, sets, step, turns, next);
  }
  CK_AT(add_steps)(rows, panels, across, false, 1, sum, &inputs, sets, step, left, NULL);
}

/// A sum before its first product. A sum of floats begins with the value at `start` (the bias), which `finish` adds to an
/// integer sum.
CK_INLINE sum_t CK_AT(begin)(const ck_weights *weights, size_t column, const float *start) {
#if CK_INTEGER
  (void)start;
  return CK_AT(offset)(weights->offsets + column);
#else
  (void)weights, (void)column;
  return load(start);
#endif
}

/// A sum after its last product, as a float.
///
/// - Parameter scale: the scale of the row's inputs.
CK_INLINE vf CK_AT(finish)(
    sum_t sum, const ck_weights *weights, float scale, size_t column, const float *start) {
#if CK_INTEGER
  return fma_(float_of(sum), load(weights->scales + column) * (vf)scale, load(start));
#else
  (void)weights, (void)scale, (void)column, (void)start;
  return sum;
#endif
}

CK_INLINE float CK_AT(row_scale)(const ck_inputs *inputs, size_t row) {
#if CK_INTEGER
  return inputs->scales ? inputs->scales[row] : 1.0f / CK_I8_MAX;
#else
  (void)inputs, (void)row;
  return 1;
#endif
}

CK_INLINE size_t CK_AT(steps)(size_t depth) {
#if CK_INTEGER
  return (depth + CK_I8_STEP - 1) / CK_I8_STEP * (CK_I8_STEP / CK_STEP);
#else
  return depth;
#endif
}

/// The sums of some rows by some panels: their inputs, weights, start values and output.
typedef struct {
  ck_inputs input;
  size_t steps;
  CK_AT(weights) weights;
  /// Scales and offsets of the first panel's columns; and the columns from one set of panels to the next.
  ck_weights columns;
  size_t set;
  /// The start values, of the same columns. Unless `apart` is NULL, every third panel starts from `apart` instead, the
  /// same for all rows.
  const float *start, *apart;
  size_t start_stride;
  /// The first panel's position (0 to 2) among three, for `apart`.
  size_t gate;
  float *output;
  size_t output_stride;
  /// The number of columns of the output from here on, of which the last panel may have only some.
  size_t left;
  /// Weights for the first tiles to prefetch, a panel each; or NULL.
  const weight_t *after;
} CK_AT(sums);

/// The start values of panel `p` for the first row; `stride` is their distance from row to row.
CK_INLINE const float *CK_AT(start)(
    const int across, const CK_AT(sums) *s, const int p, size_t column, size_t *stride) {
  // In tiles of whole sets the third panel is known at compile time.
  const bool apart = across == 1   ? s->apart && (s->gate + (size_t)p) % 3 == 2
                     : across == 3 ? s->apart && p % 3 == 2
                                   : false;
  *stride = apart ? 0 : s->start_stride;
  return (apart ? s->apart : s->start) + column;
}

/// - Parameters:
///   - across: the panels of a set.
///   - whole: whether all columns of the panels exist.
CK_INLINE void CK_AT(tile)(
    const int rows, const int panels, const int across, const bool whole, const CK_AT(sums) *call,
    size_t row, bool ahead, const char *next) {
  const CK_AT(sums) copy = *call, *s = &copy;  // a copy that no store aliases
  const input_t *input = (const input_t *)s->input.values + row * s->input.stride;
  sum_t sum[CK_ROWS][CK_MOST_PANELS][CK_PARTS];
  CK_UNROLL for (int p = 0; p < panels; p++) {
    const size_t column = (size_t)(p / across) * s->set + (size_t)(p % across) * CK_LANES;
    size_t stride;
    const float *start = CK_AT(start)(across, s, p, column, &stride) + row * stride;
    CK_UNROLL for (int r = 0; r < rows; r++) {
      // Prefetches the start values of the next panels: each row lies in other pages, so the CPU does not prefetch them
      // by itself.
      if (stride) __builtin_prefetch(start + (size_t)r * stride + (size_t)panels * CK_LANES);
      CK_UNROLL for (int part = 0; part < CK_PARTS; part++) {
        sum[r][p][part] = CK_AT(begin)(
            &s->columns, column + (size_t)part * CK_WIDTH, start + (size_t)r * stride + part * CK_WIDTH);
      }
    }
  }
  CK_AT(accumulate)(
      rows, panels, across, sum, input, s->input.stride, s->weights, s->steps, ahead, next);
  float *output = s->output + row * s->output_stride;
  CK_UNROLL for (int r = 0; r < rows; r++) {
    const float scale = CK_AT(row_scale)(&s->input, row + (size_t)r);
    CK_UNROLL for (int p = 0; p < panels; p++) {
      const size_t column = (size_t)(p / across) * s->set + (size_t)(p % across) * CK_LANES;
      size_t stride;
      const float *start = CK_AT(start)(across, s, p, column, &stride) + (row + (size_t)r) * stride;
      CK_UNROLL for (int part = 0; part < CK_PARTS; part++) {
        const size_t at = (size_t)(p * CK_PARTS + part) * CK_WIDTH;
        const vf value = CK_AT(finish)(
            sum[r][p][part], &s->columns, scale, column + (size_t)part * CK_WIDTH,
            start + part * CK_WIDTH);
        float *to = output + (size_t)r * s->output_stride + at;
        if (whole) {
          store(to, value);
        } else {
          store_some(to, value, lanes_left(s->left, at));
        }
      }
    }
  }
}

/// All rows of some panels, in tiles of nearly equal height.
CK_INLINE void CK_AT(strip)(
    const int panels, const int across, const bool whole, const CK_AT(sums) *s, size_t count) {
  const size_t tiles = (count + CK_ROWS - 1) / CK_ROWS;
  for (size_t tile = 0, row = 0; tile < tiles; tile++) {
    const size_t rows = next_part(count - row, tiles - tile);
    // Of panels that lie one after the other, the first tile prefetches the weights, and the next tiles find them in
    // the cache. Panels side by side are too many for that: there each tile prefetches them, and also one panel of the
    // weights that come after.
    const bool ahead = CK_INTERLEAVED || tile == 0;
    const char *next = CK_INTERLEAVED && s->after && tiles > 1 && tile < (size_t)panels
                           ? (const char *)s->after + tile * s->steps * CK_LINE
                           : NULL;
    switch (rows) {
#define CK_CASE(rows)                                                                         \
  case rows:                                                                                  \
    if (CK_FITS(rows, panels)) CK_AT(tile)(rows, panels, across, whole, s, row, ahead, next); \
    break;
      CK_EACH_HEIGHT(CK_CASE)
#undef CK_CASE
    }
    row += rows;
  }
}

static __attribute__((noinline)) void CK_AT(strip_of)(
    size_t panels, size_t across, const CK_AT(sums) *s, size_t rows) {
  switch (panels * CK_MOST_ACROSS + across - 1) {
#define CK_CASE(panels, across) \
  case panels * CK_MOST_ACROSS + across - 1: return CK_AT(strip)(panels, across, true, s, rows);
    CK_EACH_BREADTH(CK_CASE)
#undef CK_CASE
  }
  __builtin_trap();  // not a breadth of any tile
}

/// The last panel of a matrix, which has padding columns.
static __attribute__((noinline)) void CK_AT(last_strip)(const CK_AT(sums) *s, size_t rows) {
  CK_AT(strip)(1, 1, false, s, rows);
}

/// The sums of the panels that begin at a packed column.
CK_INLINE CK_AT(sums) CK_AT(sums_at)(
    const ck_weights *weights, ck_inputs input, size_t depth, size_t block, size_t column,
    size_t columns, size_t set) {
  const size_t steps = CK_AT(steps)(depth);
  CK_AT(sums) s = {
    .input = input, .steps = steps, .set = set,
    .weights = CK_AT(weights_at)(weights, block, steps, column, columns, set),
  };
#if CK_INTEGER
  s.columns.scales = weights->scales + column;
  s.columns.offsets = weights->offsets + column;
#endif
  return s;
}

static void CK_AT(gemm)(const ck_gemm *g) {
  if (g->rows == 0) return;
  const size_t block = block_panels(g->weights.gates);
  const size_t columns = (g->columns + CK_LANES - 1) / CK_LANES * CK_LANES;
  const size_t set = (CK_INTERLEAVED ? block : 1) * CK_LANES;
  const size_t most = shape_of(g->rows, block, CK_ROWS, CK_SUMS).panels;
  size_t column = 0;
  while (column < g->columns) {
    const size_t left = (g->columns - column) / CK_LANES;
    const size_t panels = left > 0 ? panels_of(left, most, block) : 1;
    CK_AT(sums) s = CK_AT(sums_at)(&g->weights, g->input, g->depth, block, column, columns, set);
    s.start = g->bias + column;
    s.output = g->output + column;
    s.output_stride = g->output_stride;
    s.left = g->columns - column;
    s.after = (const weight_t *)g->weights.panels + (column + panels * CK_LANES) * s.steps * CK_STEP;
    if (left > 0) {
      CK_AT(strip_of)(panels, across_of(panels, block), &s, g->rows);
    } else {
      CK_AT(last_strip)(&s, g->rows);
    }
    column += panels * CK_LANES;
  }
}

/// Computes the sums of some blocks for a band of rows.
///
/// - Parameters:
///   - first: the packed column of the pass's first panel.
///   - all: the number of panels in the blocks.
///   - most: the most panels of a tile.
CK_INLINE void CK_AT(band)(
    const ck_step *s, const pass pass, size_t row, size_t rows, size_t first, size_t all,
    size_t most, size_t columns, float *sums) {
  const size_t set = (CK_INTERLEAVED || pass.panels == 1 ? pass.block : 1) * CK_LANES;
  ck_inputs hidden = s->hidden;
  hidden.values = (const input_t *)hidden.values + row * hidden.stride;
  if (hidden.scales) hidden.scales += row;
  for (size_t panel = 0; panel < all;) {
    const size_t panels = panels_of(all - panel, most, pass.panels);
    const size_t column =
        first + (panel / pass.panels * pass.block + panel % pass.panels) * CK_LANES;
    CK_AT(sums) call = CK_AT(sums_at)(
        &s->weights, hidden, s->recurrent_size, pass.block, column, columns, set);
    call.gate = panel % pass.panels;
    if (pass.apart) call.apart = s->recurrent_bias + column;
    if (pass.from_bias) {
      call.start = s->recurrent_bias + column;
    } else {
      call.start = s->projected + row * s->projected_stride + column;
      call.start_stride = s->projected_stride;
    }
    call.output = sums + panel * CK_LANES;
    call.output_stride = all * CK_LANES;
    CK_AT(strip_of)(panels, across_of(panels, pass.panels), &call, rows);
    panel += panels;
  }
}

/// - Parameter kind: the cell's kind, a constant for the compiler, which makes code for each kind.
CK_INLINE void CK_AT(step_of)(const ck_cell_kind kind, const ck_step *s) {
  const pass pass = pass_of(kind);
  const shape shape = shape_of(s->rows, pass.panels, CK_ROWS, CK_SUMS);
  const size_t bands = (s->rows + shape.height - 1) / shape.height;
  const size_t panels = (s->hidden_size + CK_LANES - 1) / CK_LANES * pass.gates;
  // Groups of whole blocks, of nearly equal size. What is left, less than a block, is a last group of its own.
  const size_t blocks = panels / pass.block, rest = panels % pass.block;
  const size_t groups = (blocks + shape.blocks - 1) / shape.blocks, turns = groups + (rest > 0);
  const bool common = is_common(kind, s);
  float sums[CK_BAND_PANELS * CK_LANES];
  // All bands of rows use a group's weights while these are in the cache. Bands too are of nearly equal size.
  for (size_t turn = 0; turn < turns; turn++) {
    const size_t group = s->backward ? turns - 1 - turn : turn;
    const bool last = group == groups;
    const size_t block = last ? blocks : group * blocks / groups;
    const size_t all = last ? rest : ((group + 1) * blocks / groups - block) * pass.panels;
    const size_t unit = block * pass.block / pass.gates * CK_LANES;
    const size_t units = all / pass.unit_panels;  // sixteen each
    epilogue *const finish = epilogue_of(kind, common, unit + units * CK_LANES <= s->hidden_size);
    for (size_t band = 0, row = 0; band < bands; band++) {
      const size_t rows = next_part(s->rows - row, bands - band);
      CK_AT(band)(
          s, pass, row, rows, (block * pass.block + pass.first) * CK_LANES, all, shape.panels,
          panels * CK_LANES, sums);
      finish(s, sums, row, rows, unit, units);
      row += rows;
    }
  }
}

static void CK_AT(step)(const ck_step *s) {
  if (s->rows == 0) return;
  switch (s->cell.kind) {
#define CK_CASE(kind) \
  case kind: return CK_AT(step_of)(kind, s);
    CK_EACH_CELL_KIND(CK_CASE)
#undef CK_CASE
  }
  __builtin_trap();  // not a cell
}

#undef CK_AT
#undef CK_INTEGER
#undef CK_ROWS
#undef CK_STEP
#undef CK_STEPS_AT_ONCE
#undef CK_SUMS
#undef sum_t
#undef input_t
#undef weight_t
