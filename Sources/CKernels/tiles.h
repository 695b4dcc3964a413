// The GEMM and the LSTM step at one precision of weights. Included once a precision by body.h, which
// defines
//   CK_AT(x)                           the name of x at this precision
//   CK_INTEGER                         whether sums are of integers (dot.h), made floats when they are done
//   weight_t                           what packed weights are stored as
//   CK_AT(column)(const weight_t *)    a panel's weights of a step
//
// A tile is `rows` rows by `blocks` blocks of four panels (or by `panels` panels of one block), whose sums
// stay in registers through all of k.

// Rows of the widest tile; inputs that a step of a sum takes; a register of sums, and one of factors; what
// inputs are stored as; the inputs of a step, in every lane; a sum after a step.
#if CK_INTEGER
#define CK_ROWS CK_DOT_ROWS
#define CK_STEP CK_I8_STEP
#define sum_t vi
#define operand_t vi
#define input_t uint8_t
#else
#define CK_ROWS CK_TILE_ROWS
#define CK_STEP 1
#define sum_t vf
#define operand_t vf
#define input_t float
CK_INLINE vf CK_AT(broadcast)(const float *input) { return (vf)*input; }
CK_INLINE vf CK_AT(add)(vf sum, vf weights, vf inputs) { return fma_(weights, inputs, sum); }
#endif

/// sum[block, row][panel] += weights[k][panel] · input[row][k], k ascending.
///
/// - Parameter next: what to fetch meanwhile, a cache line a step; or NULL.
CK_INLINE void CK_AT(accumulate)(
    const int rows, const int blocks, const int panels, sum_t sum[][4],
    const input_t *restrict input, size_t input_stride, const weight_t *restrict weights,
    size_t width, size_t block_size, size_t steps, const char *next) {
  for (size_t k = 0; k < steps; k++) {
    if (next && rows > 2) __builtin_prefetch(next + k * CK_LINE, 0, 2);
    operand_t x[CK_ROWS];
    CK_UNROLL for (int r = 0; r < rows; r++) {
      x[r] = CK_AT(broadcast)(input + (size_t)r * input_stride + k * CK_STEP);
    }
    CK_UNROLL for (int b = 0; b < blocks; b++) {
      const weight_t *w = weights + (size_t)b * block_size + k * width;
      CK_UNROLL for (int p = 0; p < panels; p++) {
        const weight_t *panel = w + (size_t)p * CK_LANES * CK_STEP;
        // A tile of one or two rows is as fast as the memory; the CPU's own prefetching does best there.
        if (rows > 2) __builtin_prefetch((const char *)panel + CK_AHEAD);
        const operand_t column = CK_AT(column)(panel);
        CK_UNROLL for (int r = 0; r < rows; r++) {
          sum[b * rows + r][p] = CK_AT(add)(sum[b * rows + r][p], column, x[r]);
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

/// Weights of a whole block.
CK_INLINE size_t CK_AT(block_size)(size_t depth) {
  return CK_BLOCK_PANELS * CK_LANES * CK_STEP * CK_AT(steps)(depth);
}

/// - Parameters:
///   - whole: whether all of the panels' columns exist.
///   - width: panels of the block that `column` is in.
CK_INLINE void CK_AT(gemm_tile)(
    const int rows, const int panels, const bool whole, const ck_gemm *call, size_t tile, size_t row,
    size_t block, size_t column, size_t width) {
  const ck_gemm copy = *call, *g = &copy;  // which no store can change
  const size_t steps = CK_AT(steps)(g->depth);
  const input_t *input = (const input_t *)g->input.values + row * g->input.stride;
  const weight_t *weights = (const weight_t *)g->weights.panels +
                            (block * steps + (column - block)) * CK_STEP;
  // The tiles of a block fetch the next block between them, a quarter each.
  const char *next = (const char *)(weights + CK_AT(block_size)(g->depth)) +
                     tile % CK_BLOCK_PANELS * steps * CK_LINE;
  for (int part = 0; part < CK_PARTS; part++) {
    const size_t lane = (size_t)part * CK_WIDTH;
    sum_t sum[CK_ROWS][4];
    CK_UNROLL for (int r = 0; r < rows; r++) {
      CK_UNROLL for (int p = 0; p < panels; p++) {
        sum[r][p] = CK_AT(begin)(&g->weights, column + (size_t)p * CK_LANES + lane, g->bias);
      }
    }
    CK_AT(accumulate)(
        rows, 1, panels, sum, input, g->input.stride, weights + lane * CK_STEP,
        width * CK_LANES * CK_STEP, 0, steps, next);
    // A last panel that has fewer columns than lanes goes to memory by way of the stack.
    float tail[CK_ROWS][4 * CK_WIDTH];
    float *out = whole ? g->output + row * g->output_stride + column + lane : tail[0];
    const size_t out_stride = whole ? g->output_stride : 4 * CK_WIDTH;
    const size_t panel_stride = whole ? CK_LANES : CK_WIDTH;
    CK_UNROLL for (int r = 0; r < rows; r++) {
      const float scale = CK_AT(row_scale)(&g->input, row + (size_t)r);
      CK_UNROLL for (int p = 0; p < panels; p++) {
        const size_t at = column + (size_t)p * CK_LANES + lane;
        const vf value = CK_AT(finish)(sum[r][p], &g->weights, scale, at, g->bias);
        store(out + (size_t)r * out_stride + (size_t)p * panel_stride, value);
      }
    }
    if (!whole) store_tail(g, row, (size_t)rows, column + lane, (size_t)panels, tail[0]);
  }
}

/// All rows of `panels` panels, in tiles of nearly equal height.
CK_INLINE void CK_AT(gemm_rows)(
    const int panels, const bool whole, const ck_gemm *g, size_t block, size_t column,
    size_t width) {
  const size_t tiles = (g->rows + CK_ROWS - 1) / CK_ROWS;
  for (size_t tile = 0, row = 0; tile < tiles; tile++) {
    const size_t rows = (g->rows - row + tiles - tile - 1) / (tiles - tile);
    switch (rows) {
#define CK_CASE(n) \
  case n: CK_AT(gemm_tile)(n, panels, whole, g, tile, row, block, column, width); break;
      CK_CASE(1) CK_CASE(2)
#if CK_ROWS > 2
      CK_CASE(3)
#endif
#if CK_ROWS > 3
      CK_CASE(4) CK_CASE(5) CK_CASE(6)
#endif
#undef CK_CASE
    }
    row += rows;
  }
}

static __attribute__((noinline)) void CK_AT(gemm_block)(const ck_gemm *g, size_t column) {
  CK_AT(gemm_rows)(4, true, g, column, column, CK_BLOCK_PANELS);
}

#if !CK_INTEGER
static __attribute__((noinline)) void CK_AT(gemm_last_block)(const ck_gemm *g, size_t column) {
  CK_AT(gemm_rows)(4, false, g, column, column, CK_BLOCK_PANELS);
}
#endif

static void CK_AT(gemm)(const ck_gemm *g) {
  const size_t block = CK_BLOCK_PANELS * CK_LANES;
  size_t column = 0;
  for (; column + block <= g->columns; column += block) CK_AT(gemm_block)(g, column);
#if !CK_INTEGER
  // The last block may have fewer panels, and its last panel fewer columns than lanes.
  const size_t width = (ck_packed_columns(g->columns) - column) / CK_LANES;
  if (width == CK_BLOCK_PANELS) {
    CK_AT(gemm_last_block)(g, column);
  } else {
    for (size_t p = 0; p < width; p++) {
      CK_AT(gemm_rows)(1, false, g, column, column + p * CK_LANES, width);
    }
  }
#endif
}

CK_INLINE void CK_AT(lstm_tile)(
    const int rows, const int blocks, const ck_lstm_step *call, size_t row, size_t block) {
  const ck_lstm_step copy = *call, *s = &copy;
  const size_t columns = CK_BLOCK_PANELS * CK_LANES;
  const size_t steps = CK_AT(steps)(s->recurrent_size);
  const size_t block_size = CK_AT(block_size)(s->recurrent_size);
  const input_t *hidden = (const input_t *)s->hidden.values + row * s->hidden.stride;
  const weight_t *weights = (const weight_t *)s->weights.panels + block * block_size;
  for (int part = 0; part < CK_PARTS; part++) {
    const size_t lane = (size_t)part * CK_WIDTH;
    sum_t sum[CK_ROWS][4];
    CK_UNROLL for (int b = 0; b < blocks; b++) {
      CK_UNROLL for (int r = 0; r < rows; r++) {
        const float *start = s->projected + (row + (size_t)r) * s->projected_stride;
        CK_UNROLL for (int p = 0; p < 4; p++) {
          const size_t at = (block + (size_t)b) * columns + (size_t)p * CK_LANES + lane;
          sum[b * rows + r][p] = CK_AT(begin)(&s->weights, at, start);
        }
      }
    }
    CK_AT(accumulate)(
        rows, blocks, 4, sum, hidden, s->hidden.stride, weights + lane * CK_STEP,
        columns * CK_STEP, block_size, steps, NULL);
    cell cells[CK_ROWS];
    CK_UNROLL for (int b = 0; b < blocks; b++) {
      CK_UNROLL for (int r = 0; r < rows; r++) {
        const size_t unit = (block + (size_t)b) * CK_LANES + lane, at = row + (size_t)r;
        const float *start = s->projected + at * s->projected_stride;
        const float scale = CK_AT(row_scale)(&s->hidden, at);
        cell *to = &cells[b * rows + r];
        CK_UNROLL for (int p = 0; p < 4; p++) {
          const size_t column = (block + (size_t)b) * columns + (size_t)p * CK_LANES + lane;
          vf value = CK_AT(finish)(sum[b * rows + r][p], &s->weights, scale, column, start);
          store(to->gates + p * CK_WIDTH, value);
        }
        to->c = s->cell + at * s->cell_stride + unit;
        to->h = s->output + at * s->output_stride + unit;
        to->quantized = s->quantized ? s->quantized + at * s->quantized_stride + unit : NULL;
        to->count = lanes_left(s->hidden_size, unit);
      }
    }
    const bool whole = (block + (size_t)blocks) * CK_LANES <= s->hidden_size;
    (whole ? update_whole : update_some)(cells, rows * blocks);
  }
}

/// The blocks that a tile of one or two rows takes side by side: enough sums under way to hide the latency
/// of one.
#define CK_BLOCKS_OF_1 (CK_ROWS > 4 ? 4 : CK_ROWS)
#define CK_BLOCKS_OF_2 (CK_ROWS / 2)

static __attribute__((noinline)) void CK_AT(lstm_tile_of)(
    size_t rows, size_t blocks, const ck_lstm_step *s, size_t row, size_t block) {
  switch (rows * 8 + blocks) {
#define CK_CASE(rows, blocks) \
  case rows * 8 + blocks: CK_AT(lstm_tile)(rows, blocks, s, row, block); break;
    CK_CASE(1, 1) CK_CASE(1, 2) CK_CASE(2, 1)
#if CK_ROWS > 2
    CK_CASE(1, 3) CK_CASE(3, 1)
#endif
#if CK_ROWS > 3
    CK_CASE(1, 4) CK_CASE(2, 2) CK_CASE(2, 3) CK_CASE(4, 1) CK_CASE(5, 1) CK_CASE(6, 1)
#endif
#undef CK_CASE
  }
}

static void CK_AT(lstm_step)(const ck_lstm_step *s) {
  const size_t count = ck_packed_gate_columns(s->hidden_size) / (CK_BLOCK_PANELS * CK_LANES);
  const size_t most = s->rows == 1 ? CK_BLOCKS_OF_1 : s->rows == 2 ? CK_BLOCKS_OF_2 : 1;
  const size_t groups = (count + most - 1) / most;
  const size_t tiles = (s->rows + CK_ROWS - 1) / CK_ROWS;
  // A block's weights stay near while the row tiles pass over them; both are of nearly equal size.
  for (size_t group = 0; group < groups; group++) {
    const size_t index = s->backward ? groups - 1 - group : group;
    const size_t first = index * count / groups, end = (index + 1) * count / groups;
    for (size_t tile = 0, row = 0; tile < tiles; tile++) {
      const size_t rows = (s->rows - row + tiles - tile - 1) / (tiles - tile);
      CK_AT(lstm_tile_of)(rows, end - first, s, row, first);
      row += rows;
    }
  }
}

#undef CK_AT
#undef CK_INTEGER
#undef CK_ROWS
#undef CK_STEP
#undef CK_BLOCKS_OF_1
#undef CK_BLOCKS_OF_2
#undef sum_t
#undef operand_t
#undef input_t
#undef weight_t
