/// Attention, and the layers with it that PyTorch computes in one call.
enum AtenAttention {
  static func translate(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenValue?
  {
    switch call.name {
    case "scaled_dot_product_attention": return .tensor(try scaled(&t, call))
    case "_native_multi_head_attention":
      let (query, key, value) = (
        try call.tensor(0, "query"), try call.tensor(1, "key"), try call.tensor(2, "value")
      )
      guard query == key, key == value else {
        throw call.failure("keys that are not the queries", because: "it has one input")
      }
      let result = try heads(&t, query, call, first: 3, mask: try mask(t, call, 9))
      return .list([.tensor(result), .other(weights)])
    case "_transformer_encoder_layer_fwd": return .tensor(try encoderLayer(&t, call))
    default: return nil
    }
  }

  /// What stands for the weights, which have no form of their own.
  static let weights = "the weights of attention"

  /// The mask of steps against steps, which PyTorch repeats for each sequence and head; nil if there is none.
  private static func mask(
    _ t: AtenTranslation, _ call: AtenCall, _ index: Int
  ) throws(ImportError) -> AtenTensor? {
    guard let mask = call.optionalTensor(index, "mask") else { return nil }
    guard
      let node = t.graph.nodes.last(where: { $0.outputs.first == mask.name && $0.op == "Expand" })
    else {
      throw call.failure(
        "a mask that differs among sequences",
        because: "attention sees all steps, or those up to its own",
        instead: "leave masks of padding out: each sequence is answered at its own length")
    }
    return AtenTensor(name: node.inputs[0], rank: mask.rank, isWhole: mask.isWhole)
  }

  /// Scores under a mask whose true elements are hidden, or whose numbers are added.
  private static func masked(
    _ t: inout AtenTranslation, _ scores: AtenTensor, _ mask: AtenTensor, _ call: AtenCall
  ) -> AtenTensor {
    var added = mask
    if t.isBoolean(mask) {
      let hidden = t.emit("Cast", [mask], ["to": .integer(1)], rank: mask.rank, of: call)
      added = t.emit("Mul", [hidden, t.scalar(-1e9)], rank: mask.rank, of: call)
    }
    return t.emit("Add", [scores, added], rank: scores.rank, of: call)
  }

  /// Attention of a sequence to itself with several heads: the sizes and weights are the arguments from `first` on.
  private static func heads(
    _ t: inout AtenTranslation, _ x: AtenTensor, _ call: AtenCall, first: Int,
    mask: AtenTensor?
  ) throws(ImportError) -> AtenTensor {
    let (size, count) = (try call.int(first, "embed_dim"), try call.int(first + 1, "num_heads"))
    guard x.rank == 3, count > 0, size > 0, size % count == 0 else {
      throw call.failure("\(count) heads of \(size)", because: "a batch of sequences has heads")
    }
    let (weight, bias) = (try call.tensor(first + 2), call.optionalTensor(first + 3))
    let shape = try t.sizes(
      [
        t.size(of: x, axis: 0, call), t.size(of: x, axis: 1, call), .int(count),
        .int(size / count),
      ], call)
    func rows(_ tensor: AtenTensor, _ part: Int, _ t: inout AtenTranslation) -> AtenTensor {
      t.emit(
        "Slice", [tensor, t.ints([part * size]), t.ints([(part + 1) * size]), t.ints([0])],
        rank: tensor.rank, of: call)
    }
    var parts: [AtenTensor] = []
    for part in 0..<3 {
      let own = rows(weight, part, &t)
      let projected = AtenWeights.linear(&t, x, own, bias.map { rows($0, part, &t) }, call)
      let apart = t.emit("Reshape", [projected, shape], rank: 4, of: call)
      parts.append(
        AtenShapes.transposed(&t, apart, part == 1 ? [0, 2, 3, 1] : [0, 2, 1, 3], call))
    }
    let product = t.emit("MatMul", [parts[0], parts[1]], rank: 4, of: call)
    let root = Double(size / count).squareRoot()
    var scores = t.emit("Div", [product, t.scalar(root)], rank: 4, of: call)
    if let mask { scores = masked(&t, scores, mask, call) }
    let weights = t.emit("Softmax", [scores], ["axis": .integer(-1)], rank: 4, of: call)
    let mixed = t.emit("MatMul", [weights, parts[2]], rank: 4, of: call)
    let together = t.emit(
      "Reshape",
      [
        AtenShapes.transposed(&t, mixed, [0, 2, 1, 3], call),
        try t.sizes(
          [t.size(of: x, axis: 0, call), t.size(of: x, axis: 1, call), .int(size)], call),
      ], rank: 3, of: call)
    return AtenWeights.linear(
      &t, together, try call.tensor(first + 4), call.optionalTensor(first + 5), call)
  }

  /// `_transformer_encoder_layer_fwd(src, embed_dim, num_heads, qkv_weight, qkv_bias, proj_weight, proj_bias, use_gelu,
  /// norm_first, eps, norm_weight_1, norm_bias_1, norm_weight_2, norm_bias_2, ffn_weight_1, ffn_bias_1, ffn_weight_2, ffn_bias_2,
  /// mask, mask_type)`
  private static func encoderLayer(
    _ t: inout AtenTranslation, _ call: AtenCall
  ) throws(ImportError) -> AtenTensor {
    let x = try call.tensor(0, "src")
    let mask = try mask(t, call, 18)
    let epsilon = try call.number(9, "eps")
    let normFirst = call.bool(8, "norm_first")
    func norm(
      _ x: AtenTensor, _ index: Int, _ t: inout AtenTranslation
    ) throws(ImportError) -> AtenTensor {
      t.emit(
        "LayerNormalization", [x, try call.tensor(index), call.optionalTensor(index + 1)],
        ["axis": .integer(-1), "epsilon": .float(epsilon)], rank: x.rank, of: call)
    }
    func dense(
      _ x: AtenTensor, _ t: inout AtenTranslation
    ) throws(ImportError) -> AtenTensor {
      let wide = AtenWeights.linear(&t, x, try call.tensor(14), call.optionalTensor(15), call)
      let active = t.emit(call.bool(7, "use_gelu") ? "Gelu" : "Relu", [wide], rank: 3, of: call)
      return AtenWeights.linear(&t, active, try call.tensor(16), call.optionalTensor(17), call)
    }
    func sum(_ a: AtenTensor, _ b: AtenTensor, _ t: inout AtenTranslation) -> AtenTensor {
      t.emit("Add", [a, b], rank: 3, of: call)
    }
    if normFirst {
      let one = sum(x, try heads(&t, try norm(x, 10, &t), call, first: 1, mask: mask), &t)
      return sum(one, try dense(try norm(one, 12, &t), &t), &t)
    }
    let one = try norm(sum(x, try heads(&t, x, call, first: 1, mask: mask), &t), 10, &t)
    return try norm(sum(one, try dense(one, &t), &t), 12, &t)
  }

  /// softmax(q kᵀ / √d) v
  private static func scaled(_ t: inout AtenTranslation, _ call: AtenCall) throws(ImportError)
    -> AtenTensor
  {
    let ratio = try call.number(4, "dropout_p", default: 0)
    if ratio > 0 { t.note(Note.dropout(call.place, ratio)) }
    let (q, k, v) = (
      try call.tensor(0, "query"), try call.tensor(1, "key"), try call.tensor(2, "value")
    )
    guard let rank = k.rank, rank >= 2 else {
      throw call.failure("keys of unknown rank", because: "their axes can't be told")
    }
    var order = Array(0..<rank)
    order.swapAt(rank - 1, rank - 2)
    let keys = AtenShapes.transposed(&t, k, order, call)
    var scores = t.emit("MatMul", [q, keys], rank: rank, of: call)
    if let scale = try? call.number(6, "scale") {
      scores = t.emit("Mul", [scores, t.scalar(scale)], rank: rank, of: call)
    } else {
      let size = try t.operand(t.size(of: q, axis: -1, call), call)
      let root = t.emit(
        "Sqrt", [t.emit("Cast", [size], ["to": .integer(1)], rank: 0, of: call)], rank: 0, of: call)
      scores = t.emit("Div", [scores, root], rank: rank, of: call)
    }
    if var mask = call.optionalTensor(3, "attn_mask") {
      if t.isBoolean(mask) {
        // True where a step is seen: 0 there, elsewhere a large negative number.
        let seen = t.emit("Cast", [mask], ["to": .integer(1)], rank: mask.rank, of: call)
        let hidden = t.emit("Sub", [seen, t.scalar(1)], rank: mask.rank, of: call)
        mask = t.emit("Mul", [hidden, t.scalar(1e9)], rank: mask.rank, of: call)
      }
      scores = t.emit("Add", [scores, mask], rank: rank, of: call)
    }
    if call.bool(5, "is_causal") {
      // 0 up to the query's own step, behind it a large negative number.
      let sizes = try t.sizes([t.size(of: q, axis: -2, call), t.size(of: k, axis: -2, call)], call)
      let one = SourceConstant(SourceTensor(shape: [1], elements: [1]))
      let ones = t.emit("ConstantOfShape", [sizes], ["value": .tensor(one)], rank: 2, of: call)
      let lower = t.emit("Trilu", [ones], ["upper": .integer(0)], rank: 2, of: call)
      let hidden = t.emit("Sub", [lower, t.scalar(1)], rank: 2, of: call)
      let mask = t.emit("Mul", [hidden, t.scalar(1e9)], rank: 2, of: call)
      scores = t.emit("Add", [scores, mask], rank: rank, of: call)
    }
    let weights = t.emit("Softmax", [scores], ["axis": .integer(-1)], rank: rank, of: call)
    return t.emit("MatMul", [weights, v], rank: rank, of: call)
  }
}
