import CKernels
import ModelFormat

/// Attention of queries (a sequence's steps, or its vector) to steps: scores, their softmax, and the weighted sum. Several
/// queries are computed at once.
struct AttentionForward: OpForward {
  private let op: AttentionOp
  /// Additive scores: the weight of each element of a key; nil for products.
  private let weight: [Float]?
  /// Bilinear scores: maps queries to the size of keys.
  private let map: Linear?

  init(_ op: AttentionOp, _ weights: NodeWeights) throws(ModelError) {
    guard let keySize = op.keySize else { preconditionFailure("the op is not resolved") }
    self.op = op
    weight =
      op.score == .additive
      ? try weights.optional("weight") ?? Array(repeating: 1, count: keySize) : nil
    guard op.score == .bilinear else {
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

  func forward(
    _ node: NodeTurn, states: inout SeatStates, workspace: inout Workspace,
    into output: inout Matrix
  ) {
    var queries = node.operand(0, workspace)
    let (layout, kernels) = (node.layout, node.graph.kernels)
    if let map {
      let given = queries
      map.forward(given, into: &queries, kernels: kernels)
    }
    let mask = StepMask(node, workspace)
    output.resize(rows: queries.rows, columns: node.node.size)
    var (some, contexts) = (Matrix(), Matrix())
    for riders in ridersBySource(node) {
      // Every rider finishes, as the graph needs whole sequences.
      let rows = riders.flatMap { rider in
        node.node.domain == .ends
          ? [rider] : (0..<layout.steps[rider]).map { layout.row(rider: rider, step: $0) }
      }
      guard let source = source(of: riders.lowerBound, node, mask, workspace) else {
        for row in rows { for at in output.row(row) { output.values[at] = 0 } }
        continue
      }
      for start in stride(from: 0, to: rows.count, by: AttentionSource.queriesAtOnce) {
        let steps = start..<Swift.min(start + AttentionSource.queriesAtOnce, rows.count)
        some.gather(Array(rows[steps]), of: queries)
        source.attend(
          some, scale: op.scale, reach: op.isCausal ? source.reach(of: steps) : nil,
          into: &contexts, kernels: kernels)
        for (row, step) in steps.enumerated() {
          output.set(
            row: rows[step], from: contexts.values, at: row * contexts.columns,
            count: contexts.columns)
        }
      }
    }
  }

  /// Ranges of consecutive riders whose queries are computed together, as they attend to the same kept source. Any
  /// other rider is a range of its own.
  private func ridersBySource(_ node: NodeTurn) -> [Range<Int>] {
    let riders = node.plan.riders
    var ranges: [Range<Int>] = []
    for rider in riders.indices {
      if !op.isCausal, let last = ranges.last, let memory = riders[rider].memory,
        memory.covers(node: node.index), memory === riders[last.lowerBound].memory
      {
        ranges[ranges.count - 1] = last.lowerBound..<rider + 1
      } else {
        ranges.append(rider..<rider + 1)
      }
    }
    return ranges
  }

  /// The keys and values that a rider's queries attend to; nil if the mask excludes every step.
  private func source(
    of rider: Int, _ node: NodeTurn, _ mask: StepMask?, _ workspace: Workspace
  ) -> AttentionSource? {
    guard let memory = node.plan.riders[rider].memory, memory.covers(node: node.index) else {
      return makeSource(of: rider, node, mask, workspace)
    }
    return memory.source(ofNode: node.index) { makeSource(of: rider, node, mask, workspace) }
  }

  private func makeSource(
    of rider: Int, _ node: NodeTurn, _ mask: StepMask?, _ workspace: Workspace
  ) -> AttentionSource? {
    let layout = node.layout(ofInput: 1)
    let steps = mask?.steps(of: rider, in: layout) ?? Array(0..<layout.steps[rider])
    guard !steps.isEmpty else { return nil }
    let rows = steps.map { layout.row(rider: rider, step: $0) }
    var (keys, values) = (Matrix(), Matrix())
    keys.gather(rows, of: workspace[node.node.inputs[1]])
    values.gather(rows, of: workspace[node.node.inputs.last!])
    return AttentionSource(
      steps: steps, keys: keys, values: values, heads: op.heads, additive: weight,
      kernels: node.graph.kernels)
  }
}

extension AttentionSource {
  /// For queries that are steps of the same sequence as the keys: for each, the number of keys up to that step.
  fileprivate func reach(of queries: Range<Int>) -> [Int] {
    var count = 0
    return queries.map { query in
      while count < steps.count, steps[count] <= query { count += 1 }
      return count
    }
  }
}
