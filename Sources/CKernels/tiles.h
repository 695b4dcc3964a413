// The GEMM and the LSTM step at one precision of weights. Included once a precision by body.h, which
// defines
//   CK_AT(x)                           the name of x at this precision
//   CK_INTEGER                         whether sums are of integers (dot.h), made floats when they are done
//   weight_t                           what packed weights are stored as
//   CK_AT(column)(const weight_t *)    a panel's weights of a step
//
// A tile is `rows` rows by `panels` panels, whose sums stay in registers through all of k.

// Rows of the tallest tile; registers of sums; inputs that a step of a sum takes; a register of sums, and one of
// factors; what inputs are stored as; the inputs of a step, in every lane; a sum after a step.
#if CK_INTEGER
#define CK_ROWS CK_DOT_ROWS
#define CK_SUMS CK_DOT_SUMS
#define CK_STEP CK_I8_STEP
#define sum_t vi
#define operand_t vi
#define input_t uint8_t
#else
#define CK_ROWS CK_TILE_ROWS
#define CK_SUMS CK_TILE_SUMS
#define CK_STEP 1
#define sum_t vf
#define operand_t vf
#define input_t float
CK_INLINE vf CK_AT(broadcast)(const float *input) { return (vf)*input; }
CK_INLINE vf CK_AT(add)(vf sum, vf weights, vf inputs) { return fma_(weights, inputs, sum); }
#endif

/// Where the weights of a panel lie: `panel` and `block` from one panel and block to the next, `step` from
/// one step to the next.
typedef struct {
  const weight_t *first;
  size_t panel, block, step;
} CK_AT(weights);

/// - Parameters:
///   - column: a packed column that begins a panel.
///   - columns: those there are; of gates more than all, since their blocks are whole.
CK_INLINE CK_AT(weights) CK_AT(weights_at)(
    const ck_weights *weights, size_t depth, size_t column, size_t columns) {
  const size_t steps = (depth + CK_STEP - 1) / CK_STEP;
  const weight_t *panels = weights->panels;
#if CK_TOGETHER
  const size_t block = CK_BLOCK_PANELS * CK_LANES;
  const size_t start = column / block * block;
  const size_t left = columns - start;
  const size_t width = left < block ? (left + CK_LANES - 1) / CK_LANES * CK_LANES : block;
  return (CK_AT(weights)){
      panels + (start * steps + column - start) * CK_STEP, CK_LANES * CK_STEP,
      block * steps * CK_STEP, width * CK_STEP};
#else
  (void)columns;
  const size_t panel = CK_LANES * CK_STEP * steps;
  return (CK_AT(weights)){
      panels + column * steps * CK_STEP, panel, CK_BLOCK_PANELS * panel, CK_LANES * CK_STEP};
#endif
}

/// sum[row][panel] += weights[panel][k] · input[row][k], k ascending.
///
/// - Parameter next: what to fetch meanwhile, a cache line a step; or NULL.
CK_INLINE void CK_AT(accumulate)(
    const int rows, const int panels, sum_t sum[][CK_MOST_PANELS][CK_PARTS],
    const input_t *restrict input, size_t input_stride, const CK_AT(weights) weights,
    size_t steps, const char *next) {
  for (size_t k = 0; k < steps; k++) {
    if (next) __builtin_prefetch(next + k * CK_LINE, 0, 2);
    // Where a panel is one register, the inputs of all rows are kept in registers and weights come one by one; where
    // it is several, the other way round.
    operand_t x[CK_ROWS];
    if (CK_PARTS == 1) {
      CK_UNROLL for (int r = 0; r < rows; r++) {
        x[r] = CK_AT(broadcast)(input + (size_t)r * input_stride + k * CK_STEP);
      }
    }
    CK_UNROLL for (int p = 0; p < panels; p++) {
      const weight_t *panel = weights.first + (size_t)(p / 4) * weights.block +
                              (size_t)(p % 4) * weights.panel + k * weights.step;
      // A tile of one or two rows is as fast as the memory; the CPU's own prefetching does best there.
      if (rows > 2) __builtin_prefetch((const char *)panel + CK_AHEAD);
      operand_t column[CK_PARTS];
      CK_UNROLL for (int part = 0; part < CK_PARTS; part++) {
        column[part] = CK_AT(column)(panel + part * CK_WIDTH * CK_STEP);
      }
      CK_UNROLL for (int r = 0; r < rows; r++) {
        if (CK_PARTS > 1) {
          x[r] = CK_AT(broadcast)(input + (size_t)r * input_stride + k * CK_STEP);
        }
        CK_UNROLL for (int part = 0; part < CK_PARTS; part++) {
          sum[r][p][part] = CK_AT(add)(sum[r][p][part], column[part], x[r]);
        }
      }
    }
  }
}

/// A sum before its first product; `start` is what the float counts from.
CK_INLINE sum_t CK_AT(begin)(const ck_weights *weights, size_t column, const float *start) {
#if CK_INTEGER
  (void)start;
  return begin_dot(weights->offsets + column);
#else
  (void)weights;
  return load(start + column);
#endif
}

/// A sum after its last product, as a float.
CK_INLINE vf CK_AT(finish)(
    sum_t sum, const ck_weights *weights, float scale, size_t column, const float *start) {
#if CK_INTEGER
  return fma_(float_of(sum), load(weights->scales + column) * (vf)scale, load(start + column));
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

CK_INLINE size_t CK_AT(steps)(size_t depth) { return (depth + CK_STEP - 1) / CK_STEP; }

/// - Parameter whole: whether all of the panels' columns exist.
CK_INLINE void CK_AT(gemm_tile)(
    const int rows, const int panels, const bool whole, const ck_gemm *call, size_t row,
    size_t column, const char *next) {
  const ck_gemm copy = *call, *g = &copy;  // which no store can change
  const size_t steps = CK_AT(steps)(g->depth);
  const input_t *input = (const input_t *)g->input.values + row * g->input.stride;
  const CK_AT(weights) weights =
      CK_AT(weights_at)(&g->weights, g->depth, column, g->columns);
  sum_t sum[CK_ROWS][CK_MOST_PANELS][CK_PARTS];
  CK_UNROLL for (int r = 0; r < rows; r++) {
    CK_UNROLL for (int p = 0; p < panels; p++) {
      CK_UNROLL for (int part = 0; part < CK_PARTS; part++) {
        const size_t at = column + (size_t)(p * CK_PARTS + part) * CK_WIDTH;
        sum[r][p][part] = CK_AT(begin)(&g->weights, at, g->bias);
      }
    }
  }
  CK_AT(accumulate)(rows, panels, sum, input, g->input.stride, weights, steps, next);
  CK_UNROLL for (int r = 0; r < rows; r++) {
    const float scale = CK_AT(row_scale)(&g->input, row + (size_t)r);
    float *out = g->output + (row + (size_t)r) * g->output_stride;
    CK_UNROLL for (int p = 0; p < panels; p++) {
      CK_UNROLL for (int part = 0; part < CK_PARTS; part++) {
        const size_t at = column + (size_t)(p * CK_PARTS + part) * CK_WIDTH;
        const vf value = CK_AT(finish)(sum[r][p][part], &g->weights, scale, at, g->bias);
        if (whole) {
          store(out + at, value);
        } else {
          store_some(out + at, value, lanes_left(g->columns, at));
        }
      }
    }
  }
}

/// All rows of some panels, in tiles of nearly equal height.
///
/// - Parameter after: the panels after these: the first tiles fetch them, one each.
CK_INLINE void CK_AT(gemm_strip)(
    const int panels, const bool whole, const ck_gemm *g, size_t column, const weight_t *after) {
  const size_t tiles = (g->rows + CK_ROWS - 1) / CK_ROWS, steps = CK_AT(steps)(g->depth);
  for (size_t tile = 0, row = 0; tile < tiles; tile++) {
    const size_t rows = (g->rows - row + tiles - tile - 1) / (tiles - tile);
    const char *next = tiles > 1 && tile < (size_t)panels
                           ? (const char *)after + tile * steps * CK_LINE
                           : NULL;
    switch (rows) {
#define CK_CASE(rows)                                                                           \
  case rows:                                                                                    \
    if (CK_FITS(rows, panels)) CK_AT(gemm_tile)(rows, panels, whole, g, row, column, next); \
    break;
      CK_EACH_HEIGHT(CK_CASE)
#undef CK_CASE
    }
    row += rows;
  }
}

static __attribute__((noinline)) void CK_AT(gemm_strip_of)(
    size_t panels, const ck_gemm *g, size_t column, const weight_t *after) {
  switch (panels) {
#define CK_CASE(panels) \
  case panels: return CK_AT(gemm_strip)(panels, true, g, column, after);
    CK_EACH_BREADTH(CK_CASE)
#undef CK_CASE
  }
  __builtin_trap();  // not a breadth of any tile
}

/// The last panel, some of whose columns do not exist.
static __attribute__((noinline)) void CK_AT(gemm_last_strip)(
    const ck_gemm *g, size_t column, const weight_t *after) {
  CK_AT(gemm_strip)(1, false, g, column, after);
}

static void CK_AT(gemm)(const ck_gemm *g) {
  if (g->rows == 0) return;
  const size_t steps = CK_AT(steps)(g->depth), most = panels_beside(tallest(g->rows, CK_ROWS), CK_SUMS);
  size_t column = 0;
  while (column < g->columns) {
    const size_t left = (g->columns - column) / CK_LANES;
    // Of a last block that is not whole, a panel at a time.
    const size_t panels = left >= most ? most : left >= 4 ? left / 4 * 4 : 1;
    const weight_t *after = (const weight_t *)g->weights.panels +
                            (column + panels * CK_LANES) * steps * CK_STEP;
    if (left > 0) {
      CK_AT(gemm_strip_of)(panels, g, column, after);
    } else {
      CK_AT(gemm_last_strip)(g, column, after);
    }
    column += panels * CK_LANES;
  }
}

/// - Parameters:
///   - first: the packed column that begins the panels, which are gates of one block or all gates of several.
///   - cells: where their sums go: of the first row and block, `blocks` a row.
CK_INLINE void CK_AT(lstm_tile)(
    const int rows, const int panels, const ck_lstm_step *call, size_t row, size_t first,
    cell *restrict cells) {
  const ck_lstm_step copy = *call, *s = &copy;
  const size_t steps = CK_AT(steps)(s->recurrent_size);
  const input_t *hidden = (const input_t *)s->hidden.values + row * s->hidden.stride;
  const CK_AT(weights) weights = CK_AT(weights_at)(
      &s->weights, s->recurrent_size, first, SIZE_MAX);
  sum_t sum[CK_ROWS][CK_MOST_PANELS][CK_PARTS];
  CK_UNROLL for (int r = 0; r < rows; r++) {
    const float *start = s->projected + (row + (size_t)r) * s->projected_stride;
    CK_UNROLL for (int p = 0; p < panels; p++) {
      CK_UNROLL for (int part = 0; part < CK_PARTS; part++) {
        const size_t at = first + (size_t)(p * CK_PARTS + part) * CK_WIDTH;
        sum[r][p][part] = CK_AT(begin)(&s->weights, at, start);
      }
    }
  }
  CK_AT(accumulate)(rows, panels, sum, hidden, s->hidden.stride, weights, steps, NULL);
  // Panels of several blocks begin with the first gate.
  const int four = (int)CK_BLOCK_PANELS;
  const int gate = panels < four ? (int)(first / CK_LANES) % four : 0;
  const int blocks = panels < four ? 1 : panels / four;
  CK_UNROLL for (int r = 0; r < rows; r++) {
    const float *start = s->projected + (row + (size_t)r) * s->projected_stride;
    const float scale = CK_AT(row_scale)(&s->hidden, row + (size_t)r);
    CK_UNROLL for (int p = 0; p < panels; p++) {
      CK_UNROLL for (int part = 0; part < CK_PARTS; part++) {
        const size_t at = first + (size_t)(p * CK_PARTS + part) * CK_WIDTH;
        const vf value = CK_AT(finish)(sum[r][p][part], &s->weights, scale, at, start);
        cell *to = &cells[(r * blocks + p / four) * CK_PARTS + part];
        store(to->gates + (gate + p % four) * CK_WIDTH, value);
        if (gate + p % four > 0) continue;
        const size_t unit = at / (CK_BLOCK_PANELS * CK_LANES) * CK_LANES + at % CK_LANES;
        to->c = s->cell + (row + (size_t)r) * s->cell_stride + unit;
        to->h = s->output + (row + (size_t)r) * s->output_stride + unit;
        to->quantized = s->quantized
                            ? s->quantized + (row + (size_t)r) * s->quantized_stride + unit
                            : NULL;
        to->count = lanes_left(s->hidden_size, unit);
      }
    }
  }
}

/// The sums of some panels, of rows from `row` on, in tiles of nearly equal height.
CK_INLINE void CK_AT(lstm_strip)(
    const int panels, const ck_lstm_step *s, size_t row, size_t count, size_t first,
    cell *restrict cells) {
  const size_t tiles = (count + CK_ROWS - 1) / CK_ROWS, end = row + count;
  for (size_t tile = 0; tile < tiles; tile++) {
    const size_t rows = (end - row + tiles - tile - 1) / (tiles - tile);
    switch (rows) {
#define CK_CASE(rows)                                                                   \
  case rows:                                                                            \
    if (CK_FITS(rows, panels)) CK_AT(lstm_tile)(rows, panels, s, row, first, cells); \
    break;
      CK_EACH_HEIGHT(CK_CASE)
#undef CK_CASE
    }
    row += rows;
    cells += rows * (panels < 4 ? 1 : (size_t)panels / 4) * CK_PARTS;
  }
}

static __attribute__((noinline)) void CK_AT(lstm_strip_of)(
    size_t panels, const ck_lstm_step *s, size_t row, size_t rows, size_t first,
    cell *restrict cells) {
  switch (panels) {
#define CK_CASE(panels) \
  case panels: return CK_AT(lstm_strip)(panels, s, row, rows, first, cells);
    CK_EACH_BREADTH(CK_CASE)
#undef CK_CASE
  }
  __builtin_trap();  // not a breadth of any tile
}

static void CK_AT(lstm_step)(const ck_lstm_step *s) {
  if (s->rows == 0) return;
  const size_t count = ck_packed_gate_columns(s->hidden_size) / (CK_BLOCK_PANELS * CK_LANES);
  const size_t beside = panels_beside(tallest(s->rows, CK_ROWS), CK_SUMS);
  // All gates of a block, or of several, in one tile; or one or two gates at a time, for a band of many rows.
  const bool together = beside >= CK_BLOCK_PANELS;
  const size_t most = together ? beside / CK_BLOCK_PANELS : 1;
  const size_t groups = (count + most - 1) / most;
  const size_t height = together ? CK_ROWS : CK_BAND_ROWS;
  const size_t bands = (s->rows + height - 1) / height;
  cell cells[CK_BAND_CELLS];
  // A block's weights stay near while the rows pass over them; both are of nearly equal size.
  for (size_t group = 0; group < groups; group++) {
    const size_t index = s->backward ? groups - 1 - group : group;
    const size_t block = index * count / groups, end = (index + 1) * count / groups;
    const size_t all = (end - block) * CK_BLOCK_PANELS, panels = together ? all : beside;
    const bool whole = end * CK_LANES <= s->hidden_size;
    for (size_t band = 0, row = 0; band < bands; band++) {
      const size_t rows = (s->rows - row + bands - band - 1) / (bands - band);
      for (size_t panel = 0; panel < all; panel += panels) {
        const size_t first = (block * CK_BLOCK_PANELS + panel) * CK_LANES;
        CK_AT(lstm_strip_of)(panels, s, row, rows, first, cells);
      }
      (whole ? update_whole : update_some)(cells, (int)(rows * (end - block) * CK_PARTS));
      row += rows;
    }
  }
}

#undef CK_AT
#undef CK_INTEGER
#undef CK_ROWS
#undef CK_STEP
#undef CK_SUMS
#undef sum_t
#undef operand_t
#undef input_t
#undef weight_t
