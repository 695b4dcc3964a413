import ModelFormat

/// A norm along some axes of a value: elements of a step, the steps, or both.
struct KerasNorm {
  let kind: Kind
  /// The places of the axes whose numbers are normalised together.
  let places: Set<Int>
  let epsilon: Float

  enum Kind {
    /// `(x - mean) / √(variance + epsilon)`
    case standard
    /// `x / √(mean of x² + epsilon)`
    case rootMeanSquare
    /// `x / max(√(sum of x²), epsilon)`
    case euclidean
  }

  /// What the normalised numbers are multiplied with, and what is then added; nil for none. They are broadcast against the value.
  struct Weights {
    var scale: KerasTable?
    var shift: KerasTable?
  }

  /// - Parameter axes: the axes of the result, where the value's are split for the norm.
  func apply(
    to value: KerasValue, _ weights: Weights, as axes: [KerasValue.Axis]? = nil,
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    var like = value
    like.axes = axes ?? value.axes
    let isWithin = value.stepAxis.map { !places.contains($0) } ?? true
    if isWithin, let result = try withinSteps(value, weights, like, &translation, call) {
      return result
    }
    var result = try overSteps(value, &translation, call)
    result.axes = like.axes
    for (op, table) in [(ModelDescription.Op.multiply, weights.scale), (.add, weights.shift)] {
      guard let table else { continue }
      result = try table.combined(op, with: result, isFirst: false, &translation, call)
    }
    (result.mask, result.origin) = (value.mask, value.origin)
    return result
  }

  /// By one op, with the axes that are normalised behind the others; nil where there is no such op.
  private func withinSteps(
    _ value: KerasValue, _ weights: Weights, _ like: KerasValue,
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue? {
    let elements = value.axes.indices.filter { $0 != value.stepAxis }
    let order =
      elements.filter { !places.contains($0) } + elements.filter(places.contains)
    let groups = KerasReductions.size(of: elements.filter { !places.contains($0) }, value)
    guard let op = op(groups: groups) else { return nil }
    let indices = KerasReductions.indices(order, of: value)
    let (prefix, isNew) = translation.names.prefix(of: call.layer, name: call.name)
    if isNew {
      for (table, tensor) in [(weights.scale, "weight"), (weights.shift, "bias")] {
        guard let row = try table?.row(like: like, call) else { continue }
        translation.add(
          tensor: "\(prefix).\(tensor)", shape: [row.count], indices.map { row[$0] })
      }
    }
    let isTurned = order != elements
    let turned =
      isTurned
      ? try translation.map(.gather(indices), value, for: call, part: "turned") : value
    let hasWeights = weights.scale != nil || weights.shift != nil
    let name = try translation.add(
      op, [turned], for: call, part: isTurned ? "norm" : nil, weights: hasWeights ? prefix : nil)
    var result = like.with(name: name)
    guard isTurned else { return result }
    var back = Array(repeating: 0, count: indices.count)
    for (place, index) in indices.enumerated() { back[index] = place }
    result.name = try translation.add(.gather(back), [result], for: call)
    return result
  }

  private func op(groups: Int) -> ModelDescription.Op? {
    switch kind {
    case .standard:
      groups == 1 ? .layerNorm(epsilon: epsilon) : .groupNorm(groups: groups, epsilon: epsilon)
    case .rootMeanSquare: groups == 1 ? .rmsNorm(epsilon: epsilon) : nil
    case .euclidean: groups == 1 ? .l2Norm(epsilon: epsilon) : nil
    }
  }

  private func overSteps(
    _ value: KerasValue, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    func pair(_ op: ModelDescription.Op, _ other: KerasValue, of value: KerasValue, _ part: String?)
      throws(ImportError) -> KerasValue
    {
      var pair = call
      pair.arguments = [.value(value), .value(other)]
      return try KerasMergeLayers.elementwise(op, &translation, pair, part: part)
    }
    func reduced(_ value: KerasValue, _ part: String) throws(ImportError) -> KerasValue {
      try KerasReductions.reduced(
        kind == .euclidean ? .sum : .mean, value, over: places, keeps: true, &translation, call,
        part: part)
    }
    var plain = value
    plain.mask = nil
    let centred =
      kind == .standard
      ? try pair(.subtract, try reduced(plain, "mean"), of: plain, "centred") : plain
    let squares = try reduced(
      try translation.map(.square, centred, for: call, part: "squares"), "variance")
    let bounded =
      kind == .euclidean
      ? [ModelDescription.Op.sqrt, .clip(min: epsilon)]
      : [.affine(scale: nil, shift: [epsilon]), .sqrt]
    let length = try translation.chain(bounded, squares, for: call, part: "deviation")
    return try pair(.divide, length, of: centred, nil)
  }
}

extension KerasNorm.Weights {
  /// The layer's weights, of the sizes of these axes of a value.
  init(
    of value: KerasValue, along places: Set<Int>, _ call: KerasCall, scale: String? = nil
  ) throws(ImportError) {
    let layer = call.layer
    var shape = [1]
    for (place, axis) in value.axes.enumerated() {
      switch axis {
      case .size(let size): shape.append(places.contains(place) ? size : 1)
      case .steps(let count): shape.append(places.contains(place) ? count ?? 0 : 1)
      }
    }
    var names = scale.map { [$0] } ?? []
    if scale == nil, try layer.bool("scale", true) { names.append("gamma") }
    if scale == nil, try layer.bool("center", true) { names.append("beta") }
    guard !names.isEmpty else { return }
    guard !shape.contains(0) else {
      throw layer.refusal(
        "axis: found \(try layer.integers("axis") ?? [-1]), with weights for each step, of sequences of any length",
        remedy: KerasLength.remedy())
    }
    let sizes = places.sorted().map { shape[$0 + 1] }
    let arrays = try call.weights.arrays(names.map { ($0, sizes) }, of: layer)
    for (name, array) in zip(names, arrays) {
      let table = KerasTable(shape: shape, array)
      if name == "beta" { shift = table } else { self.scale = table }
    }
  }
}
