import ModelFormat

/// Operators on pending values, which are parts of patterns.
enum PatternLowering {
  static func refusal(_ node: SourceNode, _ value: PendingValue) -> ImportError {
    switch value {
    case .pairScores, .pairWeights:
      node.refusal(
        "scores of steps against steps",
        because:
          "they are carried only as attention: a product of queries and keys, scaled, its softmax, a product with values",
        instead:
          "export the attention as scaled_dot_product_attention, or as torch.nn.MultiheadAttention with need_weights=False, without key_padding_mask or another mask than a causal one (each sequence is answered at its own length, so that none is padded); weights that the model returns, or computes with, have no form here"
      )
    case .stepWeights, .weighted:
      node.refusal(
        "a softmax over the steps",
        because: "it is carried only as the weights of a sum over the steps")
    case .erf:
      node.refusal(
        "erf", because: "it is carried only as part of gelu, 0.5 · x · (1 + erf(x / √2))")
    case .ids:
      node.refusal(
        "arithmetic with ids", because: "ids lead to an embedding",
        instead: "export the model with a float input")
    case .largest:
      node.refusal(
        "ArgMax in the middle of a graph",
        because: "the place of the largest element is carried as the label of an output alone",
        instead:
          "let the model end with the numbers that it chooses from, and make what follows a model of its own, which takes the place as an id"
      )
    case .quantized:
      node.refusal(
        "numbers of 8 bits",
        because: "they are carried only as the operand of MatMulInteger and its scale",
        instead:
          "take the model as it was before it was quantised; \"precision\": \"int8\" in model.json makes its recurrent weights int8 here"
      )
    }
  }

  /// The next part of a pattern; nil if neither value is pending.
  static func binary(
    _ l: inout Lowering, _ node: SourceNode, _ op: String, _ first: LoweredValue,
    _ second: LoweredValue
  ) throws(ImportError) -> LoweredValue? {
    switch (first, second) {
    case (.pending(let pending), let other), (let other, .pending(let pending)):
      let isFirst = if case .pending = first { true } else { false }
      switch pending {
      case .erf(let value, let factor, let plus):
        return try erf(&l, node, op, value, factor: factor, plus: plus, other)
      case .pairScores(let scores), .pairWeights(let scores):
        return try AttentionLowering.binary(node, op, pending, scores, other, isFirst: isFirst)
      case .stepWeights, .weighted:
        if op == "Mul", case .stepWeights(let scores, _) = pending,
          case .carried(let values) = other,
          let weighted = AttentionLowering.weighted(scores, values)
        {
          return weighted
        }
        guard let softmax = try StepSoftmax.value(&l, pending, node) else { return nil }
        return isFirst
          ? try ElementwiseLowering.binary(&l, node, op, .carried(softmax), other)
          : try ElementwiseLowering.binary(&l, node, op, other, .carried(softmax))
      case .ids, .largest: throw refusal(node, pending)
      case .quantized(let value):
        return try QuantizedLowering.binary(&l, node, op, value, other)
      }
    default: return nil
    }
  }

  /// `0.5 · x · (1 + erf(x / √2))`, in any order.
  private static func erf(
    _ l: inout Lowering, _ node: SourceNode, _ op: String, _ value: CarriedValue, factor: Double,
    plus: Double,
    _ other: LoweredValue
  ) throws(ImportError) -> LoweredValue {
    let pending = PendingValue.erf(value, factor: factor, plus: plus)
    switch other {
    case .constant(let constant):
      guard constant.count == 1 else { throw refusal(node, pending) }
      if op == "Add", constant[0] == 1, factor == 1, plus == 0 {
        return .pending(.erf(value, factor: 1, plus: 1))
      }
      if op == "Mul", plus == 1 {
        return .pending(.erf(value, factor: factor * constant[0], plus: 1))
      }
      throw refusal(node, pending)
    case .carried(let x):
      guard op == "Mul", plus == 1, let source = l.builder.scaled(value.node) else {
        throw refusal(node, pending)
      }
      guard abs(source.factor * 2.0.squareRoot() - 1) < 0x1p-11 else {
        throw refusal(node, pending)
      }
      var result = x
      if x.node == source.node {
        result = Arithmetic.affine(&l, Layout.map(&l, x, .gelu(), node), scale: [2 * factor], node)
      } else if let half = l.builder.scaled(x.node), half.node == source.node {
        result.node = source.node
        result = Arithmetic.affine(
          &l, Layout.map(&l, result, .gelu(), node), scale: [2 * factor * half.factor], node)
      } else {
        throw refusal(node, pending)
      }
      return .carried(result)
    case .pending: throw refusal(node, pending)
    }
  }

  static func reduce(_ l: inout Lowering, _ node: SourceNode) throws(ImportError) -> LoweredValue? {
    guard case .pending(let pending) = try l.required(node, 0) else { return nil }
    guard case .weighted(let scores, let values) = pending, node.op == "ReduceSum" else {
      return try asSequence(&l, node, pending)
    }
    let axes = try ReductionOperators.reducedAxes(
      node, rank: values.axes.count, axes: try l.integers(node, "axes", input: 1))
    guard axes.count == 1, values.axes[axes[0]].map(\.role) == [.time] else {
      return try asSequence(&l, node, pending)
    }
    var result = AttentionLowering.weightedSum(&l, node, scores, values)
    if node.integer("keepdims", default: 1) == 1 {
      result.axes[axes[0]] = []
    } else {
      result.axes.remove(at: axes[0])
    }
    return .carried(result)
  }

  /// Makes the node's input a sequence, with which the operator is as of any other: the result is nil.
  private static func asSequence(
    _ l: inout Lowering, _ node: SourceNode, _ pending: PendingValue
  ) throws(ImportError) -> LoweredValue? {
    guard let name = node.input(0), let softmax = try StepSoftmax.value(&l, pending, node) else {
      throw refusal(node, pending)
    }
    l.define(name, .carried(softmax))
    return nil
  }

  /// `Where` of a constant mask on scores of steps against steps.
  static func choose(
    _ l: inout Lowering, _ node: SourceNode, _ condition: LoweredValue, _ yes: LoweredValue,
    _ no: LoweredValue
  ) throws(ImportError) -> LoweredValue? {
    switch (condition, yes, no) {
    case (.constant(let mask), .pending(let pending), .constant(let fill)):
      return try AttentionLowering.masked(node, pending, keep: mask, isInverted: false, fill)
    case (.constant(let mask), .constant(let fill), .pending(let pending)):
      return try AttentionLowering.masked(node, pending, keep: mask, isInverted: true, fill)
    case (.carried(let mask), .pending(.pairScores), _),
      (.carried(let mask), _, .pending(.pairScores)):
      throw AttentionLowering.maskRefusal(node, mask)
    case (_, .pending(let pending), _), (_, _, .pending(let pending)),
      (.pending(let pending), _, _):
      throw refusal(node, pending)
    default: return nil
    }
  }
}

extension FolderBuilder {
  /// What a node of this op, with one input, reads; nil if the node is of another op.
  func source(of name: String, _ op: ModelDescription.Op) -> String? {
    guard let node = nodes.last(where: { $0.name == name }), node.op == op else { return nil }
    return node.inputs.first ?? nil
  }

  /// What a node multiplies and shifts by numbers of its description, and these; nil for other nodes.
  func affine(_ name: String) -> (source: String, scale: [Float]?, shift: [Float]?)? {
    guard let node = nodes.last(where: { $0.name == name }), let source = node.inputs.first ?? nil,
      let affine = node.op.definition as? AffineOp, tensors["\(name).weight"] == nil,
      tensors["\(name).bias"] == nil
    else { return nil }
    return (source, affine.scale, affine.shift)
  }

  /// If a node multiplies a value by a single number: the value and the number.
  func scaled(_ name: String) -> (node: String, factor: Double)? {
    guard let affine = affine(name), affine.shift == nil, let scale = affine.scale,
      scale.count == 1
    else { return nil }
    return (affine.source, Double(scale[0]))
  }
}
