import CKernels
import ModelFormat

/// Attention of a sequence's steps, or of its vector, to steps: scores, their softmax, and the weighted sum, a head at a time and for some
/// queries at once.
struct AttentionForward: OpForward {
  private let op: AttentionOp
  /// Of an additive score; nil where each element counts alike.
  private let weight: [Float]?
  /// Of a bilinear score: the queries as the keys are.
  private let map: Linear?

  init(_ op: AttentionOp, _ weights: NodeWeights) throws(ModelError) {
    self.op = op
    weight = op.score == .additive ? try weights.optional("weight") : nil
    guard op.score == .bilinear, let keySize = op.keySize else {
      map = nil
      return
    }
    let matrix = try weights.required("weight")
    let size = matrix.count / keySize
    var transposed: [Float] = []
    for column in 0..<keySize {
      for row in 0..<size { transposed.append(matrix[row * keySize + column]) }
    }
    map = Linear(
      inputSize: size, outputSize: keySize, weight: transposed, bias: nil,
      kernels: weights.kernels)
  }

  var byteCount: Int {
    (weight?.count ?? 0) * MemoryLayout<Float>.stride + (map?.byteCount ?? 0)
  }

  var needsWholeSequence: Bool { true }

  func domain(of inputs: [RowDomain]) -> RowDomain { inputs[0] == .steps ? .steps : .ends }

  /// Queries at once: what they are scored in stays in a core's cache.
  private static let queriesAtOnce = 32

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    var inputs = node.operands(workspace)
    let (layout, kernels) = (node.layout, node.graph.kernels)
    let source = node.layout(ofInput: 1)
    if let map {
      let queries = inputs[0]
      map.forward(queries, into: &inputs[0], kernels: kernels)
    }
    let mask = StepMask(node, workspace)
    output.resize(rows: inputs[0].rows, columns: node.node.size)
    for rider in node.plan.riders.indices {
      // Every rider finishes, as the graph needs whole sequences.
      let rows =
        node.node.domain == .ends
        ? [rider] : (0..<layout.steps[rider]).map { layout.row(rider: rider, step: $0) }
      let count = rows.count
      let keySteps = mask?.steps(of: rider, in: source) ?? Array(0..<source.steps[rider])
      let keyRows = keySteps.map { source.row(rider: rider, step: $0) }
      guard !keyRows.isEmpty else {
        for row in rows { for at in output.row(row) { output.values[at] = 0 } }
        continue
      }
      for head in 0..<op.heads {
        let queries = part(head, rows, of: inputs[0])
        let keys = part(head, keyRows, of: inputs[1])
        let scorer = Scorer(self, head: head, keys: keys, kernels: kernels)
        // The weighted sum as a product: an output an element, over all steps.
        let values = part(head, keyRows, of: inputs.last!).transposed()
        let sum = Linear(
          inputSize: keyRows.count, outputSize: values.rows,
          weight: Array(values.values.prefix(values.rows * keyRows.count)), bias: nil,
          kernels: kernels)
        var (scores, contexts) = (Matrix(), Matrix())
        for start in stride(from: 0, to: count, by: Self.queriesAtOnce) {
          let steps = start..<Swift.min(start + Self.queriesAtOnce, count)
          scorer.score(queries, steps, into: &scores, kernels: kernels)
          normalise(&scores, from: start, keySteps, kernels: kernels)
          sum.forward(scores, into: &contexts, kernels: kernels)
          for step in steps {
            output.set(
              row: rows[step], column: head * values.rows, from: contexts.values,
              at: (step - start) * values.rows, count: values.rows)
          }
        }
      }
    }
  }

  /// A head's elements of a sequence's steps.
  private func part(_ head: Int, _ rows: [Int], of input: Matrix) -> Matrix {
    let size = input.columns / op.heads
    var part = Matrix(rows: rows.count, columns: size)
    for (step, row) in rows.enumerated() {
      part.set(
        row: step, from: input.values, at: row * input.columns + head * size, count: size)
    }
    return part
  }

  /// Makes weights of scores, the first of which are those of the query at `start`.
  private func normalise(
    _ scores: inout Matrix, from start: Int, _ keySteps: [Int], kernels: Kernels
  ) {
    let scale = op.scale
    if scale != 1 {
      for at in 0..<scores.rows * scores.columns { scores.values[at] *= scale }
    }
    guard op.isCausal else {
      // SAFETY: rows × columns floats, in place.
      unsafe scores.update { values, rows, columns in
        unsafe kernels.routines.softmax_f32(values, rows, columns, columns)
      }
      return
    }
    var count = 0
    for row in 0..<scores.rows {
      let first = scores.row(row).lowerBound
      while count < keySteps.count, keySteps[count] <= start + row { count += 1 }
      if count > 0 {
        // SAFETY: the first `count` floats of a row, in place.
        unsafe scores.update { values, _, columns in
          unsafe kernels.routines.softmax_f32(values + first, 1, count, columns)
        }
      }
      for at in first + count..<first + scores.columns { scores.values[at] = 0 }
    }
  }

  /// Compares queries with the keys of one sequence.
  private struct Scorer {
    private let keys: Matrix
    /// The product with all keys, or with the weight of an additive score.
    private let product: Linear
    private let isAdditive: Bool

    init(_ attention: AttentionForward, head: Int, keys: Matrix, kernels: Kernels) {
      self.keys = keys
      isAdditive = attention.op.score == .additive
      let size = keys.columns
      if isAdditive {
        let part = head * size..<(head + 1) * size
        product = Linear(
          inputSize: size, outputSize: 1,
          weight: attention.weight.map { Array($0[part]) } ?? Array(repeating: 1, count: size),
          bias: nil, kernels: kernels)
      } else {
        product = Linear(
          inputSize: size, outputSize: keys.rows,
          weight: Array(keys.values.prefix(keys.rows * size)), bias: nil, kernels: kernels)
      }
    }

    func score(
      _ queries: Matrix, _ steps: Range<Int>, into scores: inout Matrix, kernels: Kernels
    ) {
      let size = keys.columns
      guard isAdditive else {
        var some = Matrix(rows: steps.count, columns: size)
        for (row, step) in steps.enumerated() {
          some.set(row: row, from: queries.values, at: step * size, count: size)
        }
        return product.forward(some, into: &scores, kernels: kernels)
      }
      scores.resize(rows: steps.count, columns: keys.rows)
      var (sums, column) = (keys, Matrix())
      for (row, step) in steps.enumerated() {
        for key in 0..<keys.rows {
          for k in 0..<size {
            sums.values[key * size + k] =
              keys.values[key * size + k] + queries.values[step * size + k]
          }
        }
        // SAFETY: rows × columns floats, in place.
        unsafe sums.update { values, rows, columns in
          unsafe kernels.routines.tanh_f32(values, rows * columns)
        }
        product.forward(sums, into: &column, kernels: kernels)
        scores.set(row: row, from: column.values, at: 0, count: keys.rows)
      }
    }
  }
}

extension Matrix {
  fileprivate func transposed() -> Matrix {
    var result = Matrix(rows: columns, columns: rows)
    for row in 0..<rows {
      for column in 0..<columns {
        result.values[column * rows + row] = values[row * columns + column]
      }
    }
    return result
  }
}
