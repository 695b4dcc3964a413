/// A row-major matrix of floats whose storage is reused.
struct Matrix {
  private(set) var rows = 0
  private(set) var columns = 0
  /// At least `rows * columns` floats; further ones are left over from a larger use.
  var values: [Float] = []

  init() {}

  init(rows: Int, columns: Int) {
    resize(rows: rows, columns: columns)
  }

  /// Changes the shape. The contents are unspecified afterwards.
  mutating func resize(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
    let missing = rows * columns - values.count
    if missing > 0 { values.append(contentsOf: repeatElement(0, count: missing)) }
  }

  /// The range of a row in `values`.
  func row(_ index: Int) -> Range<Int> {
    index * columns..<(index + 1) * columns
  }

  /// Copies `count` floats of `source`, from `start` on, into row `index` from `column` on.
  mutating func set(
    row index: Int, column: Int = 0, from source: [Float], at start: Int, count: Int
  ) {
    let target = index * columns + column
    precondition(start >= 0 && target >= 0 && count >= 0)
    precondition(start + count <= source.count && target + count <= values.count)
    // SAFETY: the ranges lie within their arrays, as checked above; the arrays do not overlap, as access to `values` is
    // exclusive.
    unsafe source.withUnsafeBufferPointer { source in
      unsafe values.withUnsafeMutableBufferPointer { values in
        guard let from = source.baseAddress, let to = values.baseAddress else { return }
        unsafe (to + target).update(from: from + start, count: count)
      }
    }
  }

  /// Copies `count` consecutive rows of `source`, from element `start` on: the i-th to row `rows[i] + offset`.
  mutating func scatter(
    _ source: [Float], from start: Int, count: Int, to rows: [Int], offset: Int
  ) {
    for place in 0..<count {
      set(
        row: rows[place] + offset, from: source, at: start + place * columns, count: columns)
    }
  }

  /// Copies a row to another.
  mutating func copy(row source: Int, to target: Int) {
    precondition(source >= 0 && target >= 0 && source < rows && target < rows)
    let (from, to, count) = (source * columns, target * columns, columns)
    guard from != to else { return }
    // SAFETY: two rows of the matrix, as checked above, and not the same.
    unsafe values.withUnsafeMutableBufferPointer { values in
      guard let base = values.baseAddress else { return }
      unsafe (base + to).update(from: base + from, count: count)
    }
  }

  /// Replaces the contents by the rows of `source` at these indices.
  mutating func gather(_ rows: [Int], of source: Matrix) {
    resize(rows: rows.count, columns: source.columns)
    for (row, from) in rows.enumerated() {
      set(row: row, from: source.values, at: from * source.columns, count: source.columns)
    }
  }
}

extension Matrix {
  /// Calls a routine that works in place, with a pointer to the floats, the rows and the columns.
  mutating func update(_ routine: (UnsafeMutablePointer<Float>, Int, Int) -> Void) {
    let (rows, columns) = (rows, columns)
    // SAFETY: the matrix holds rows × columns floats, which are exclusively the routine's.
    unsafe values.withUnsafeMutableBufferPointer { buffer in
      if let base = buffer.baseAddress { unsafe routine(base, rows, columns) }
    }
  }
}
