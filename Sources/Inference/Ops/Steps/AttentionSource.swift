import CKernels

/// The keys and values of one sequence, packed for any number of queries.
struct AttentionSource: Sendable {
  /// The steps that count.
  let steps: [Int]
  private let heads: [Head]

  /// - Parameters:
  ///   - steps: the steps that count, at least one.
  ///   - keys, values: a row for each of these steps.
  ///   - weight: additive scores: the weight of each element of a key; nil for products.
  init(
    steps: [Int], keys: Matrix, values: Matrix, heads: Int, additive weight: [Float]?,
    kernels: Kernels
  ) {
    precondition(!steps.isEmpty && keys.rows == steps.count && values.rows == steps.count)
    self.steps = steps
    let size = keys.columns / heads
    self.heads = (0..<heads).map { head in
      let part = head * size..<(head + 1) * size
      return Head(
        keys: keys.part(head, of: heads), weight: weight.map { Array($0[part]) },
        sum: Linear(
          inputSize: steps.count, outputSize: values.columns / heads,
          weight: values.part(head, of: heads).transposedValues, bias: nil, kernels: kernels))
    }
  }

  private struct Head: Sendable {
    let keys: Matrix
    /// Additive scores: the weight of each element of a key; nil for products.
    let weight: [Float]?
    /// The map of weights to the weighted sum of the values.
    let sum: Linear
  }

  /// The number of floats held for a sequence of `steps` steps.
  static func floatCount(steps: Int, keySize: Int, valueSize: Int, heads: Int) -> Int {
    let sum = ck_packed_bytes(CK_F32, ck_packed_columns(1, valueSize / heads), steps)
    return heads * sum / MemoryLayout<Float>.size + steps * keySize
  }

  /// The most queries computed at once: their scores stay in a core's cache.
  static let queriesAtOnce = 32

  /// Computes the contexts of some queries.
  ///
  /// - Parameters:
  ///   - queries: a row for each, at most `queriesAtOnce`.
  ///   - scale: the factor of the scores.
  ///   - reach: for each query, how many of the steps it attends to; nil for all.
  ///   - contexts: a row for each query.
  func attend(
    _ queries: Matrix, scale: Float, reach: [Int]?, into contexts: inout Matrix, kernels: Kernels
  ) {
    contexts.resize(rows: queries.rows, columns: heads.reduce(0) { $0 + $1.sum.outputSize })
    var column = 0
    for (index, head) in heads.enumerated() {
      let scores = scores(of: queries.part(index, of: heads.count), head, kernels: kernels)
      let weights = weights(scores, scale: scale, reach: reach, kernels: kernels)
      var context = Matrix()
      head.sum.forward(weights, into: &context, kernels: kernels)
      for row in 0..<context.rows {
        contexts.set(
          row: row, column: column, from: context.values, at: row * context.columns,
          count: context.columns)
      }
      column += head.sum.outputSize
    }
  }

  /// The scores: a row for each query, an element for each step. They are exponents and may be large, so they are summed in
  /// double.
  private func scores(of queries: Matrix, _ head: Head, kernels: Kernels) -> [Double] {
    let keys = head.keys
    precondition(queries.columns == keys.columns)
    var scores = [Double](repeating: 0, count: queries.rows * keys.rows)
    // SAFETY: a query, the weight and each key have `columns` floats, and each query has a score for each key.
    unsafe scores.withUnsafeMutableBufferPointer { scores in
      unsafe queries.values.withUnsafeBufferPointer { floats in
        for row in 0..<queries.rows {
          let query = unsafe floats.baseAddress! + row * keys.columns
          let target = unsafe scores.baseAddress! + row * keys.rows
          if let weight = head.weight {
            unsafe kernels.routines.additive_scores(
              query, weight, keys.values, keys.rows, keys.columns, target)
          } else {
            unsafe kernels.routines.dot_scores(
              query, keys.values, keys.rows, keys.columns, target)
          }
        }
      }
    }
    return scores
  }

  /// The softmax of each query's scores. The highest score is subtracted before rounding to float.
  private func weights(
    _ scores: [Double], scale: Float, reach: [Int]?, kernels: Kernels
  ) -> Matrix {
    var weights = Matrix(rows: scores.count / steps.count, columns: steps.count)
    for row in 0..<weights.rows {
      let count = reach?[row] ?? steps.count
      let first = row * steps.count
      for at in first..<first + steps.count { weights.values[at] = 0 }
      guard count > 0 else { continue }
      var highest = Double(scale) * scores[first]
      for at in first..<first + count { highest = Swift.max(highest, Double(scale) * scores[at]) }
      for at in first..<first + count {
        weights.values[at] = Float(Double(scale) * scores[at] - highest)
      }
      // SAFETY: the first `count` floats of a row, in place.
      unsafe weights.update { values, _, columns in
        unsafe kernels.routines.softmax_f32(values + first, 1, count, columns)
      }
    }
    return weights
  }
}

extension Matrix {
  /// A head's elements of each row.
  fileprivate func part(_ head: Int, of heads: Int) -> Matrix {
    if heads == 1 { return self }
    let size = columns / heads
    var part = Matrix(rows: rows, columns: size)
    for row in 0..<rows {
      part.set(row: row, from: values, at: row * columns + head * size, count: size)
    }
    return part
  }

  /// The elements column by column.
  fileprivate var transposedValues: [Float] {
    var result: [Float] = []
    result.reserveCapacity(rows * columns)
    for column in 0..<columns {
      for row in 0..<rows { result.append(values[row * columns + column]) }
    }
    return result
  }
}
