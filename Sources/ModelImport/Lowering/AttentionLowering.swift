import ModelFormat

/// Attention as exporters write it: a product of queries and keys, a softmax, a product with values; and weighted sums over
/// the steps.
enum AttentionLowering {
  /// The next part of a pattern, if a product is one; else nil.
  static func product(
    _ l: inout Lowering, _ node: SourceNode, _ first: LoweredValue, _ second: LoweredValue
  ) throws(ImportError) -> LoweredValue? {
    switch (first, second) {
    case (.carried(let queries), .carried(let keys)):
      guard queries.form == .sequence, keys.form == .sequence,
        queries.axes.count == keys.axes.count,
        queries.axes.count >= 3, let inner = queries.axes.last,
        inner.allSatisfy({ $0.role == .element }),
        isOfSteps(queries.axes[queries.axes.count - 2], l),
        keys.axes.last?.map(\.role) == [.time]
      else { return nil }
      return .pending(try scores(&l, node, queries, keys))
    case (.pending(.pairWeights(let scores)), .carried(let values)):
      return .carried(try attend(&l, node, scores, values))
    case (.pending(.stepWeights(let scores, let keys)), .carried(let values))
    where Set(scores.timeAtoms).count == 2:
      return .carried(try sums(&l, node, scores, over: keys, values))
    case (.pending(.stepWeights(let scores, _)), .carried(let values)):
      guard values.axes.count >= 2, values.axes[values.axes.count - 2].map(\.role) == [.time],
        scores.axes.last?.map(\.role) == [.time], scores.size == 1,
        scores.shape[scores.axes.count - 2] == 1
      else { return try several(&l, node, first, second) }
      var result = weightedSum(&l, node, scores, values)
      result.axes[values.axes.count - 2] = []
      return .carried(result)
    case (.carried(let values), .pending(.stepWeights(let scores, _))):
      // [.., N, T] times [.., T, 1]
      guard values.axes.last?.map(\.role) == [.time], scores.size == 1, scores.axes.count >= 2,
        scores.axes[scores.axes.count - 2].map(\.role) == [.time]
      else { return try several(&l, node, first, second) }
      var result = weightedSum(&l, node, scores, values)
      result.axes[values.axes.count - 1] = []
      return .carried(result)
    case (.pending(.quantized(let value)), _), (_, .pending(.quantized(let value))):
      throw PatternLowering.refusal(node, .quantized(value))
    default: return nil
    }
  }

  /// Whether an axis is the steps, or the one step of a call.
  private static func isOfSteps(_ axis: [Atom], _ l: Lowering) -> Bool {
    axis.isEmpty ? l.assumptions.isStepwise : axis.map(\.role) == [.time]
  }

  /// A product with several weights a step, as of attention with several heads that each pool the steps.
  private static func several(
    _ l: inout Lowering, _ node: SourceNode, _ first: LoweredValue, _ second: LoweredValue
  ) throws(ImportError) -> LoweredValue {
    var values = [first, second]
    for (index, value) in values.enumerated() {
      guard case .pending(let pending) = value,
        let softmax = try StepSoftmax.value(&l, pending, node)
      else { continue }
      values[index] = .carried(softmax)
    }
    return try MatrixLowering.product(&l, node, values[0], values[1])
  }

  private static func scores(
    _ l: inout Lowering, _ node: SourceNode, _ queries: CarriedValue, _ keys: CarriedValue
  ) throws(ImportError) -> PendingValue {
    let rank = queries.axes.count
    let (heads, inner) = (Array(queries.axes[..<(rank - 2)].joined()), queries.axes[rank - 1])
    let headAtoms = heads.filter { $0.role == .element }
    let count = headAtoms.reduce(1) { $0 * $1.size }
    let keyHeads = keys.axes[..<(rank - 2)].joined().filter { $0.role == .element }
    guard keyHeads.map(\.size) == headAtoms.map(\.size),
      keys.shape[rank - 2] == queries.shape[rank - 1]
    else {
      throw node.refusal(
        "queries of \(queries.shape) and keys of \(keys.shape)",
        because: "they have other heads or sizes than each other")
    }
    let arrangedKeys = Layout.arranged(&l, keys, keyHeads + keys.axes[rank - 2], node)
    return .pairScores(
      .init(
        queries: Layout.arranged(&l, queries, headAtoms + inner, node), keys: arrangedKeys,
        axes: Array(queries.axes.dropLast()) + [keys.axes[rank - 1]], scale: 1, heads: count))
  }

  static func maskRefusal(_ node: SourceNode, _ mask: CarriedValue) -> ImportError {
    node.refusal(
      "a mask, or other numbers, of \(mask.shape) on the scores of attention, given or computed",
      because:
        "each sequence is answered at its own length, so that none has padding to be masked, and attention adds nothing else to its scores",
      instead:
        "of a mask that is an input of an ONNX file: --set mask=0, or what else masks nothing; of another: export the model without key_padding_mask, or with the causal mask alone, and send each sequence without its padding; scores that are sums, such as q·k + w·q + u·k, are dot products of longer vectors: torch.cat([q, q @ w, ones], -1) with torch.cat([k, ones, k @ u], -1)"
    )
  }

  /// Scores times a number, or plus a mask.
  static func binary(
    _ node: SourceNode, _ op: String, _ pending: PendingValue, _ scores: PendingValue.PairScores,
    _ other: LoweredValue,
    isFirst: Bool
  ) throws(ImportError) -> LoweredValue {
    if op == "Add", case .pairScores = pending, case .carried(let mask) = other {
      throw maskRefusal(node, mask)
    }
    guard case .pairScores = pending, case .constant(let constant) = other else {
      throw PatternLowering.refusal(node, pending)
    }
    var scores = scores
    switch op {
    case "Mul" where constant.isUniform: scores.scale *= constant.elements[0]
    case "Div" where constant.isUniform && constant.elements[0] != 0 && isFirst:
      scores.scale /= constant.elements[0]
    case "Add":
      if constant.elements.allSatisfy({ $0 == 0 }) { break }
      return try masked(
        node, pending, keep: constant.map { $0 == 0 ? 1 : $0 <= -1e4 ? 0 : .nan },
        isInverted: false, SourceTensor(shape: [], elements: [-.infinity]))
    default: throw PatternLowering.refusal(node, pending)
    }
    return .pending(.pairScores(scores))
  }

  /// Scores under a constant mask [.., steps, steps] that keeps all, or those up to the query's step.
  static func masked(
    _ node: SourceNode, _ pending: PendingValue, keep: SourceTensor, isInverted: Bool,
    _ fill: SourceTensor
  ) throws(ImportError) -> LoweredValue {
    guard case .pairScores(var scores) = pending, fill.elements.allSatisfy({ $0 <= -1e4 }) else {
      throw PatternLowering.refusal(node, pending)
    }
    func keeps(_ element: Double) -> Bool { (element != 0) != isInverted }
    if keep.isUniform {
      guard keeps(keep.elements[0]) else { throw PatternLowering.refusal(node, pending) }
      return .pending(pending)
    }
    let shape = pending.shape
    let (rows, columns) = (shape[shape.count - 2], shape[shape.count - 1])
    guard keep.count == rows * columns, scores.axes[shape.count - 2] == scores.axes[shape.count - 1]
    else { throw PatternLowering.refusal(node, pending) }
    let isCausal = keep.elements.indices.allSatisfy { position in
      let isKept = position % columns <= position / columns
      return !keep.elements[position].isNaN && keeps(keep.elements[position]) == isKept
    }
    guard isCausal else {
      if keep.elements.allSatisfy({ !$0.isNaN && keeps($0) }) { return .pending(pending) }
      throw node.refusal(
        "a mask of its own on attention",
        because: "none, and one of the steps up to the query's own, are carried")
    }
    scores.isCausal = true
    return .pending(.pairScores(scores))
  }

  static func softmax(
    _ l: inout Lowering, _ node: SourceNode, _ pending: PendingValue
  ) throws(ImportError) -> PendingValue {
    guard case .pairScores(let scores) = pending, node.op == "Softmax" else {
      throw PatternLowering.refusal(node, pending)
    }
    let axes = try ReductionOperators.softmaxAxes(node, opset: l.opset, rank: scores.axes.count)
    guard axes == [scores.axes.count - 1] else { throw PatternLowering.refusal(node, pending) }
    return .pairWeights(scores)
  }

  private static func attend(
    _ l: inout Lowering, _ node: SourceNode, _ scores: PendingValue.PairScores,
    _ values: CarriedValue
  ) throws(ImportError) -> CarriedValue {
    let rank = scores.axes.count
    guard values.axes.count == rank, values.form == .sequence,
      values.axes[rank - 2] == scores.axes[rank - 1]
    else {
      throw PatternLowering.refusal(node, .pairWeights(scores))
    }
    let heads = values.axes[..<(rank - 2)].joined().filter { $0.role == .element }
    guard heads.reduce(1, { $0 * $1.size }) == scores.heads else {
      throw PatternLowering.refusal(node, .pairWeights(scores))
    }
    let arranged = Layout.arranged(&l, values, heads + values.axes[rank - 1], node)
    let op = ModelDescription.Op.attention(
      scale: Float(scores.scale), heads: scores.heads, isCausal: scores.isCausal)
    let name = l.builder.emit(
      op, [scores.queries.node, scores.keys.node, arranged.node],
      named: node.outputs.first ?? node.name)
    var result = arranged
    result.node = name
    result.axes[rank - 2] = scores.axes[rank - 2]
    return result
  }

  /// The sums of values of which each query has weights of its own: an op, once the nodes that made the scores are seen
  /// (``AttendedSteps``).
  private static func sums(
    _ l: inout Lowering, _ node: SourceNode, _ scores: CarriedValue, over keys: Atom,
    _ values: CarriedValue
  ) throws(ImportError) -> CarriedValue {
    let rank = scores.axes.count
    guard scores.size == 1, values.form == .sequence, values.axes.count == rank,
      scores.axes[rank - 1] == [keys], values.axes[rank - 2] == [keys]
    else { throw Arithmetic.pairsOfSteps([scores, values], node) }
    var result = weightedSum(&l, node, scores, values)
    result.form = .sequence
    result.axes[rank - 2] = scores.axes[rank - 2].map { l.queryAtoms[$0] ?? $0 }
    return result
  }

  /// Values times their steps' weights, to be summed; nil if elements of a step have different weights.
  static func weighted(_ scores: CarriedValue, _ values: CarriedValue) -> LoweredValue? {
    let rank = max(scores.axes.count, values.axes.count)
    let (weights, wide) = (Layout.padded(scores, rank: rank), Layout.padded(values, rank: rank))
    guard scores.size == 1, zip(weights.axes, wide.axes).allSatisfy({ $0.isEmpty || $0 == $1 }),
      values.form == .sequence
    else { return nil }
    return .pending(.weighted(scores: scores, values: wide))
  }

  /// The sum over the steps, whose axis stays with size 1.
  static func weightedSum(
    _ l: inout Lowering, _ node: SourceNode, _ scores: CarriedValue, _ values: CarriedValue
  ) -> CarriedValue {
    var result = values
    result.node = l.builder.emit(
      .softmaxSum, [scores.node, values.node], named: node.outputs.first ?? node.name)
    result.form = .vector
    return result
  }
}
