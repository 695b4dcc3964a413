import JSON
import ModelFormat

/// Attention layers.
enum KerasAttentionLayers {
  static let all = [
    KerasLayerKind(
      "Attention",
      weights: { layer in
        KerasWeightCount(
          trained: ((try? layer.bool("use_scale")) == true ? 1 : 0)
            + (layer["score_mode"]?.string == "concat" ? 1 : 0))
      }, translate: KerasAttentionScores.beside(attention)),
    KerasLayerKind(
      "AdditiveAttention",
      weights: { KerasWeightCount(trained: (try? $0.bool("use_scale", true)) == false ? 0 : 1) },
      translate: KerasAttentionScores.beside(additiveAttention)),
    KerasLayerKind(
      "MultiHeadAttention",
      weights: { KerasWeightCount(trained: (try? $0.bool("use_bias", true)) == false ? 4 : 8) },
      translate: KerasAttentionScores.beside(multiHeadAttention)),
    KerasLayerKind(
      "GroupQueryAttention", "GroupedQueryAttention",
      weights: { KerasWeightCount(trained: (try? $0.bool("use_bias", true)) == false ? 4 : 8) },
      translate: KerasAttentionScores.beside(multiHeadAttention)),
  ]

  /// Queries, keys and values; Keras has the values before the keys.
  private struct Parts {
    var queries: KerasValue
    var keys: KerasValue
    var values: KerasValue
    var isCausal: Bool
  }

  private static func parts(
    _ translation: inout KerasTranslation, _ call: KerasCall, inputs: [KerasValue]
  ) throws(ImportError) -> Parts {
    guard (2...3).contains(inputs.count) else {
      throw call.layer.refusal("found \(inputs.count) inputs, expected query and value, or key too")
    }
    for (index, value) in inputs.enumerated() {
      // A single query may be a vector.
      if index > 0 || value.axes.count != 2 || value.axes[0] != .size(1) {
        _ = try call.sequence(value)
      }
      if isMultiHead(call.layer), !hasMasks(call.layer) {
        try call.refuseMask(of: value)
      }
    }
    let named = try KerasAttentionMasks(call, of: inputs, &translation)
    var isCausal = try call.layer.bool("causal") || named.isCausal
    if case .constant(.bool(true))? = call["use_causal_mask"] { isCausal = true }
    var parts = Parts(
      queries: inputs[0], keys: inputs[inputs.count - 1], values: inputs[1], isCausal: isCausal)
    let own = parts.values.mask.map { [$0] } ?? []
    parts.values.mask = KerasMask(of: own + named.keys, isAll: true)
    return parts
  }

  private static func isMultiHead(_ layer: KerasLayer) -> Bool {
    !["Attention", "AdditiveAttention"].contains(layer.className)
  }

  /// Whether MultiHeadAttention heeds the masks of its inputs, as since Keras 2.10.
  private static func hasMasks(_ layer: KerasLayer) -> Bool {
    layer.source.version == 3 || layer.source.version == 2 && layer.source.minor ?? .max >= 10
  }

  private static func add(
    _ given: Parts, score: AttentionOp.Score?, scale: Float = 1, heads: Int = 1,
    _ translation: inout KerasTranslation, _ call: KerasCall, part: String? = nil,
    weights: String? = nil
  ) throws(ImportError) -> KerasValue {
    var parts = given
    let op = ModelDescription.Op.attention(
      score: score, scale: scale, heads: heads, isCausal: parts.isCausal)
    // Keras uses the mask of the values, the second input.
    let mask =
      parts.values.mask == nil
      ? nil : try translation.maskNode(of: parts.values, for: call, key: "")
    let queries = parts.queries
    let queryMask =
      queries.mask == nil ? nil : try translation.maskNode(of: queries, for: call, key: "")
    let own = queryMask == nil ? part : "context"
    var name = try translation.add(
      op, [parts.queries, parts.keys, parts.values], for: call, part: own, weights: weights,
      mask: mask)
    if let queryMask {
      let steps = KerasValue(name: queryMask, axes: [queries.axes[0], .size(1)])
      let attended = queries.with(name: name)
      if isMultiHead(call.layer) {
        // A masked query attends to all steps alike.
        let mean = KerasValue(
          name: try translation.add(.mean, [parts.values], for: call, part: "mean"),
          axes: [.size(parts.values.size)])
        name = try translation.add(.where, [steps, attended, mean], for: call, part: part)
      } else {
        // The result of a masked query is 0.
        name = try translation.add(.multiply, [attended, steps], for: call, part: part)
      }
    }
    translation.unify([parts.keys, parts.values])
    // Keras 3.0 to 3.3 lose the masks of values in a list.
    if call.layer.source.version == 3, !call.layer.source.isKeras3(since: 4),
      !isMultiHead(call.layer)
    {
      parts.queries.mask = nil
    }
    return parts.queries.with(
      name: name, axes: [parts.queries.axes[0], .size(parts.values.size)])
  }

  /// Tells of values whose masks Keras takes off where a MultiHeadAttention reads them, so that no other attention has them.
  private static func noteSharedMasks(
    of inputs: [KerasValue], _ translation: inout KerasTranslation, _ layer: KerasLayer
  ) {
    guard layer.source.version == 3 else { return }
    let isMultiHead = layer.className == "MultiHeadAttention"
    let masked = Set(inputs.filter { $0.mask != nil }.map(\.name))
    if masked.contains(where: { translation.attendedValues[$0].map { $0 || isMultiHead } ?? false })
    {
      translation.note(
        "\(layer.place) reads a masked value that another attention reads, one of both MultiHeadAttention: Keras 3.15 masks it for "
          + "the one that runs first, the folder for both")
    }
    for name in masked {
      translation.attendedValues[name] = isMultiHead || translation.attendedValues[name] == true
    }
  }

  private static func attention(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let layer = call.layer
    var parts = try parts(&translation, call, inputs: call.inputs)
    noteSharedMasks(of: call.inputs, &translation, layer)
    let hasScale = try layer.bool("use_scale")
    let isConcat = try layer.text("score_mode") == "concat"
    var expected: [(name: String, shape: [Int])] = []
    if hasScale { expected.append(("scale", [])) }
    if isConcat { expected.append(("concat_score_weight", [])) }
    let arrays = try call.weights.arrays(expected, of: layer)
    let scale = hasScale ? arrays[0][0] : 1
    guard isConcat else {
      return [try add(parts, score: nil, scale: scale, &translation, call)]
    }
    // weight · Σ tanh(scale · (query + key)).
    if hasScale {
      let op = ModelDescription.Op.affine(scale: [scale], shift: nil)
      parts.queries = try translation.map(op, parts.queries, for: call, part: "queries")
      parts.keys = try translation.map(op, parts.keys, for: call, part: "keys")
    }
    let result = try add(
      parts, score: .additive, scale: arrays[arrays.count - 1][0], &translation, call)
    return [result]
  }

  private static func additiveAttention(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let layer = call.layer
    let parts = try parts(&translation, call, inputs: call.inputs)
    noteSharedMasks(of: call.inputs, &translation, layer)
    guard try layer.bool("use_scale", true) else {
      return [try add(parts, score: .additive, &translation, call)]
    }
    let size = parts.queries.size
    let (prefix, isNew) = translation.names.prefix(of: layer, name: call.name)
    if isNew {
      let arrays = try call.weights.arrays([("scale", [size])], of: layer)
      translation.add(tensor: "\(prefix).weight", shape: [size], arrays[0])
    }
    return [try add(parts, score: .additive, &translation, call, weights: prefix)]
  }

  // MARK: MultiHeadAttention

  private static func multiHeadAttention(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let layer = call.layer
    var inputs = call.inputs
    for key in ["query", "value", "key"] { inputs += call[key]?.values ?? [] }
    var parts = try parts(&translation, call, inputs: inputs)
    noteSharedMasks(of: inputs, &translation, layer)
    // Grouped queries share heads of keys and values.
    let isGrouped = layer["num_query_heads"] != nil
    let heads = try layer.integer(isGrouped ? "num_query_heads" : "num_heads")
    let shared = try layer.integer("num_key_value_heads", heads)
    let keySize = try layer.integer(isGrouped ? "head_dim" : "key_dim")
    let valueSize = try layer.integer("value_dim", keySize)
    let hasGate = try layer.bool("use_gate")
    guard !hasGate, layer["sliding_window"] == nil else {
      throw layer.refusal("found a gate or a sliding window, which are not carried")
    }
    guard shared > 0, heads % shared == 0 else {
      throw layer.refusal("found \(heads) heads of queries, \(shared) of keys and values")
    }
    guard heads > 0, keySize > 0, valueSize > 0,
      heads * max(keySize, valueSize) <= KerasLayer.maxSize
    else { throw layer.refusal("found \(heads) heads of \(keySize) and \(valueSize) elements") }
    if let axes = try layer.integers("attention_axes"), axes != [1] {
      throw layer.refusal("attention_axes: found \(axes), expected the steps alone")
    }
    let output = try layer.integers("output_shape") ?? [parts.queries.size]
    guard output.count == 1, output[0] > 0 else {
      throw layer.refusal("output_shape: found \(output), expected one size")
    }
    if parts.queries.mask != nil, try layer.number("dropout", 0) > 0 {
      translation.note(
        "\(layer.place) answers masked steps with the mean of all values, as Keras does; with PyTorch and dropout, Keras answers zeros there"
      )
    }
    let hasBias = try layer.bool("use_bias", true)
    let (prefix, isNew) = translation.names.prefix(of: layer, name: call.name)
    let step = hasBias ? 2 : 1
    func project(
      _ name: String, _ value: KerasValue, size: Int, place: Int
    ) throws(ImportError) -> KerasValue {
      let all = heads * size
      if isNew {
        let heads = name == "query" ? heads : shared
        var expected = [(name: "\(name) kernel", shape: [value.size, heads, size])]
        if hasBias { expected.append(("\(name) bias", [heads, size])) }
        let weights = call.weights.part(
          named: "\(name)_dense", weights: (place * step)..<((place + 1) * step))
        let times = all / (heads * size)
        let arrays = try weights.arrays(expected, of: layer)
          .map { repeated($0, rows: size, times: times) }
        translation.add(
          tensor: "\(prefix).\(name).weight", shape: [all, value.size],
          transposed(arrays[0], rows: value.size, columns: all))
        if hasBias { translation.add(tensor: "\(prefix).\(name).bias", shape: [all], arrays[1]) }
      }
      return value.with(
        name: try translation.add(
          .linear, [value], for: call, part: name, weights: "\(prefix).\(name)"),
        axes: [value.axes[0], .size(all)])
    }
    parts.queries = try project("query", parts.queries, size: keySize, place: 0)
    parts.keys = try project("key", parts.keys, size: keySize, place: 1)
    parts.values = try project("value", parts.values, size: valueSize, place: 2)
    var context = try add(
      parts, score: nil, scale: 1 / Float(keySize).squareRoot(), heads: heads, &translation, call,
      part: "context")
    if isNew {
      let all = heads * valueSize
      var expected = [(name: "output kernel", shape: [heads, valueSize, output[0]])]
      if hasBias { expected.append(("output bias", [output[0]])) }
      let arrays = try call.weights.part(named: "output_dense", weights: (3 * step)..<(4 * step))
        .arrays(expected, of: layer)
      translation.add(
        tensor: "\(prefix).output.weight", shape: [output[0], all],
        transposed(arrays[0], rows: all, columns: output[0]))
      if hasBias { translation.add(tensor: "\(prefix).output.bias", shape: [output[0]], arrays[1]) }
    }
    context = context.with(
      name: try translation.add(.linear, [context], for: call, weights: "\(prefix).output"),
      axes: [context.axes[0], .size(output[0])])
    return [context]
  }

  /// The numbers with each row so many times, one copy behind the other.
  private static func repeated(_ floats: [Float], rows size: Int, times: Int) -> [Float] {
    if times == 1 { return floats }
    return stride(from: 0, to: floats.count, by: size).flatMap { start in
      (0..<times).flatMap { _ in floats[start..<(start + size)] }
    }
  }
}
