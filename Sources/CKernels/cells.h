// Epilogues: they apply a cell's gates to its sums. Included once for each variant, by body.h; the same for all
// precisions.
//
// An epilogue gets the sums of a band of rows: [row][16 units][panel][lane]. Through the step's pointers it reads and
// updates the units' state.

/// - Parameters:
///   - row, rows: the first row of the band in the step, and the number of rows.
///   - unit: the first unit.
///   - units: the number of units, in groups of sixteen.
typedef void epilogue(
    const ck_step *, float *sums, size_t row, size_t rows, size_t unit, size_t units);

/// One register of units of one row. `count` units exist from `unit` on; the lanes of any others are padding.
typedef struct {
  const ck_step *step;
  float *sums;
  size_t row, unit, count;
} cell;

/// Calls `name` for every register of units; a unit has `panels` panels.
#define CK_EACH_CELL(name, panels)                                                                  \
  for (size_t r = 0; r < rows; r++)                                                                 \
    for (size_t u = 0; u < units; u++)                                                              \
      CK_UNROLL for (int part = 0; part < CK_PARTS; part++) {                                       \
        const size_t at = u * CK_LANES + (size_t)part * CK_WIDTH;                                   \
        name(                                                                                       \
            whole, common,                                                                          \
            (cell){                                                                                 \
                s, sums + (r * units + u) * (panels) * CK_LANES + part * CK_WIDTH, row + r, unit + at, \
                lanes_left(s->hidden_size, unit + at)});                                            \
      }

CK_INLINE vf get(const bool whole, const float *p, size_t count) {
  return whole ? load(p) : load_some(p, count);
}

CK_INLINE void put(const bool whole, float *p, vf v, size_t count) {
  if (whole) {
    store(p, v);
  } else {
    store_some(p, v, count);
  }
}

CK_INLINE float *of(float *rows, size_t stride, cell u) { return rows + u.row * stride + u.unit; }

CK_INLINE vf sum(cell u, int panel) { return load(u.sums + panel * (int)CK_LANES); }

/// b + W x of a panel; a unit has `gates` panels.
CK_INLINE vf projected(cell u, size_t gates, size_t panel) {
  const size_t column = (u.unit / CK_LANES * gates + panel) * CK_LANES + u.unit % CK_LANES;
  return load(u.step->projected + u.row * u.step->projected_stride + column);
}

CK_INLINE vf previous(const bool whole, cell u) {
  return get(whole, u.step->previous + u.row * u.step->previous_stride + u.unit, u.count);
}

/// x · factor, rounded to nearest even, plus 128. |x · factor| has to be at most CK_I8_MAX.
CK_INLINE vb rounded_bytes(vf x, float factor) {
  return low_bytes(bits_of(shifted_(x, (vf)factor)) + 128);
}

/// Stores h', and its quantised bytes if the step asks for them.
CK_INLINE void put_output(const bool whole, cell u, vf h) {
  const ck_step *s = u.step;
  put(whole, of(s->output, s->output_stride, u), h, u.count);
  if (s->quantized) {
    const vb bytes = rounded_bytes(h, CK_I8_MAX);
    memcpy(
        s->quantized + u.row * s->quantized_stride + u.unit, &bytes,
        whole || u.count > CK_WIDTH ? CK_WIDTH : u.count);
  }
}

/// x, bounded by ±clip if the cell has a bound.
CK_INLINE vf clipped(cell u, vf x) {
  const float clip = u.step->cell.clip;
  return clip > 0 ? clamp(x, (vf)-clip, (vf)clip) : x;
}

CK_INLINE vf gate_of(const bool common, cell u, vf x) {
  return common ? sigmoid_(x) : activated(&u.step->cell.gate, clipped(u, x));
}

CK_INLINE vf candidate_of(const bool common, cell u, vf x) {
  return common ? tanh_(x) : activated(&u.step->cell.candidate, clipped(u, x));
}

// --- LSTM ---

/// Computes c', and replaces the sums by c' and the denominator of o, which `lstm_output` reads.
///
/// i·g and o·tanh(c') each share one division. f has its own: so an open forget gate rounds to exactly 1, and the
/// cell carries c unchanged to the bit, for any number of steps.
CK_INLINE void lstm_state(const bool whole, const bool common, cell u) {
  (void)common;
  vf g = sum(u, 2);
  const float high = 2 * CK_TANH_HIGH;
  const vg x = clamp(
      joined(-sum(u, 0), -sum(u, 1), g + g, -sum(u, 3)),
      gates(CK_EXP_LOW, CK_EXP_LOW, -high, CK_EXP_LOW),
      gates(CK_EXP_HIGH, CK_EXP_HIGH, high, CK_EXP_HIGH));
  power_vg e = power_of_e(x);
  // First e^−i, e^−f, e^2g − 1, e^−o; then the denominators 1 + e^−i, 1 + e^−f, e^2g + 1, 1 + e^−o.
  vg power = fma_(e.scale, e.fraction, e.scale - gates(0, 0, 1, 0));
  vg denominator = power + gates(1, 1, 2, 1);
  vf update = gate(power, 2) / (gate(denominator, 0) * gate(denominator, 2));
  float *state = of(u.step->cell_state, u.step->cell_state_stride, u);
  vf c = fma_((vf)1 / gate(denominator, 1), get(whole, state, u.count), update);
  put(whole, state, c, u.count);
  store(u.sums, c);
  store(u.sums + CK_LANES, gate(denominator, 3));
}

CK_INLINE void lstm_output(const bool whole, const bool common, cell u) {
  (void)common;
  vf numerator = tanh_numerator(sum(u, 0));
  put_output(whole, u, numerator / (sum(u, 1) * (numerator + (vf)2)));
}

/// An LSTM with any activations, with or without peepholes.
CK_INLINE void lstm(const bool whole, const bool common, cell u) {
  (void)common;
  const ck_step *s = u.step;
  float *state = of(s->cell_state, s->cell_state_stride, u);
  const float *peepholes = s->peepholes ? s->peepholes + u.unit : NULL;
  vf i = sum(u, 0), f = sum(u, 1), o = sum(u, 3), c = get(whole, state, u.count);
  if (peepholes) {
    i = fma_(get(whole, peepholes, u.count), c, i);
    f = fma_(get(whole, peepholes + s->peephole_stride, u.count), c, f);
  }
  i = gate_of(false, u, i);
  f = s->cell.input_forget ? (vf)1 - i : gate_of(false, u, f);
  c = fma_(f, c, i * candidate_of(false, u, sum(u, 2)));
  put(whole, state, c, u.count);
  if (peepholes) o = fma_(get(whole, peepholes + 2 * s->peephole_stride, u.count), c, o);
  put_output(whole, u, gate_of(false, u, o) * activated(&s->cell.output, c));
}

// --- GRU ---

/// (1 − z) n + z h. A saturated update gate is exactly 1 and carries h unchanged.
CK_INLINE vf mixed(vf z, vf n, vf h) { return fma_(z, h, ((vf)1 - z) * n); }

CK_INLINE void gru(const bool whole, const bool common, cell u) {
  vf r = gate_of(common, u, sum(u, 0)), z = gate_of(common, u, sum(u, 1));
  vf n = candidate_of(common, u, fma_(r, sum(u, 2), projected(u, 3, 2)));
  put_output(whole, u, mixed(z, n, previous(whole, u)));
}

CK_INLINE void gru_gates(const bool whole, const bool common, cell u) {
  const ck_step *s = u.step;
  vf r = gate_of(common, u, sum(u, 0)), z = gate_of(common, u, sum(u, 1));
  put(whole, of(s->update, s->update_stride, u), z, u.count);
  put_output(whole, u, r * previous(whole, u));
}

CK_INLINE void gru_candidate(const bool whole, const bool common, cell u) {
  const ck_step *s = u.step;
  vf z = get(whole, of(s->update, s->update_stride, u), u.count);
  vf n = candidate_of(common, u, sum(u, 0));
  put_output(whole, u, mixed(z, n, previous(whole, u)));
}

// --- Cells of one gate ---

CK_INLINE void rnn(const bool whole, const bool common, cell u) {
  put_output(whole, u, candidate_of(common, u, sum(u, 0)));
}

CK_INLINE void product(const bool whole, const bool common, cell u) {
  (void)common;
  put_output(whole, u, projected(u, 1, 0) * sum(u, 0));
}

// --- The choice of an epilogue ---

#define CK_EACH_CELL_KIND(X) \
  X(CK_LSTM) X(CK_GRU) X(CK_GRU_GATES) X(CK_GRU_CANDIDATE) X(CK_RNN) X(CK_PRODUCT)

#define CK_EPILOGUE(name, whole_, common_, passes)                                              \
  static __attribute__((noinline)) void name(                                                   \
      const ck_step *s, float *sums, size_t row, size_t rows, size_t unit, size_t units) {      \
    const bool whole = whole_, common = common_;                                                \
    passes                                                                                      \
  }
#define CK_EPILOGUES(name, usual, any)                     \
  CK_EPILOGUE(name##_whole_common, true, true, usual)      \
  CK_EPILOGUE(name##_some_common, false, true, usual)      \
  CK_EPILOGUE(name##_whole_any, true, false, any)          \
  CK_EPILOGUE(name##_some_any, false, false, any)

// The LSTM takes two passes: when the second one reads a c', the divisions of the first are long done.
CK_EPILOGUES(
    lstm, CK_EACH_CELL(lstm_state, 4) CK_EACH_CELL(lstm_output, 4), CK_EACH_CELL(lstm, 4))
CK_EPILOGUES(gru, CK_EACH_CELL(gru, 3), CK_EACH_CELL(gru, 3))
CK_EPILOGUES(gru_gates, CK_EACH_CELL(gru_gates, 2), CK_EACH_CELL(gru_gates, 2))
CK_EPILOGUES(gru_candidate, CK_EACH_CELL(gru_candidate, 1), CK_EACH_CELL(gru_candidate, 1))
CK_EPILOGUES(rnn, CK_EACH_CELL(rnn, 1), CK_EACH_CELL(rnn, 1))
CK_EPILOGUES(product, CK_EACH_CELL(product, 1), CK_EACH_CELL(product, 1))

/// Whether a step's cell is `ck_common_cell` of its kind.
CK_INLINE bool is_common(const ck_cell_kind kind, const ck_step *s) {
  const ck_cell *cell = &s->cell;
  if (cell->candidate.kind != CK_TANH || cell->clip > 0) return false;
  if (kind == CK_RNN) return true;
  if (cell->gate.kind != CK_SIGMOID) return false;
  return kind != CK_LSTM ||
         (cell->output.kind == CK_TANH && !cell->input_forget && !s->peepholes);
}

/// The epilogue for a kind of cell.
///
/// - Parameter whole: whether all lanes are existing units.
CK_INLINE epilogue *epilogue_of(const ck_cell_kind kind, bool common, bool whole) {
#define CK_FOUR(name) \
  {{name##_some_any, name##_whole_any}, {name##_some_common, name##_whole_common}}
  static epilogue *const all[CK_CELL_COUNT][2][2] = {
    [CK_LSTM] = CK_FOUR(lstm), [CK_GRU] = CK_FOUR(gru), [CK_GRU_GATES] = CK_FOUR(gru_gates),
    [CK_GRU_CANDIDATE] = CK_FOUR(gru_candidate), [CK_RNN] = CK_FOUR(rnn),
    [CK_PRODUCT] = CK_FOUR(product),
  };
#undef CK_FOUR
  return all[kind][common][whole];
}
