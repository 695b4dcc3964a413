import JSON
import ModelFormat

/// The layer Dot: sums of products over an axis of each of two inputs.
struct KerasDot {
  private let layer: KerasLayer
  private let axes: [Int]
  private let isNormalised: Bool

  init(_ layer: KerasLayer) throws(ImportError) {
    self.layer = layer
    let axes = try layer.integers("axes") ?? [-1]
    guard (1...2).contains(axes.count) else {
      throw layer.refusal("axes: found \(axes), expected one or two")
    }
    self.axes = axes.count == 1 ? [axes[0], axes[0]] : axes
    isNormalised = try layer.bool("normalize")
  }

  /// A function that does the same; axes count from the batch, which is 0.
  init(_ layer: KerasLayer, axes: [Int]) {
    self.layer = layer
    self.axes = axes
    isNormalised = false
  }

  func apply(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    var values = call.inputs
    guard values.count == 2 else {
      throw layer.refusal("found \(values.count) inputs, expected two")
    }
    let places = [place(0, values[0]), place(1, values[1])]
    if case .scores = values[0].content {
      return try context(&translation, call, weights: values[0], values: values[1], places)
    }
    if case .scores = values[1].content {
      return try context(
        &translation, call, weights: values[1], values: values[0], places.reversed())
    }
    guard values[0].axes.indices.contains(places[0]), values[1].axes.indices.contains(places[1])
    else { throw layer.refusal("axes: found \(axes), the inputs have the sizes \(shapes(values))") }
    if isNormalised {
      for index in 0..<2 {
        guard case .size = values[index].axes[places[index]], values[index].sizes.count == 1 else {
          throw layer.refusal("normalize: found the sizes \(shapes(values)), expected vectors")
        }
        values[index] = try translation.map(
          .l2Norm(epsilon: 1e-6), values[index], for: call, part: "unit.\(index)")
      }
    }
    let areSteps = zip(values, places).map { $0.stepAxis == $1 }
    switch (areSteps[0], areSteps[1]) {
    case (true, true): return try overSteps(&translation, call, values)
    case (false, false): return try overElements(&translation, call, values)
    default:
      throw layer.refusal(
        "axes: found \(axes) of the sizes \(shapes(values)), which sum the steps of one with the elements of "
          + "the other")
    }
  }

  private func place(_ index: Int, _ value: KerasValue) -> Int {
    axes[index] < 0 ? value.axes.count + axes[index] : axes[index] - 1
  }

  private func shapes(_ values: [KerasValue]) -> String {
    values.map(\.shape).joined(separator: " and ")
  }

  /// Sums over the elements: of two vectors, of the same steps of two sequences, or of each pair of steps.
  private func overElements(
    _ translation: inout KerasTranslation, _ call: KerasCall, _ values: [KerasValue]
  ) throws(ImportError) -> KerasValue {
    let (first, second) = (values[0], values[1])
    guard first.sizes.count == 1, second.sizes.count == 1, first.size == second.size else {
      throw layer.refusal("found the sizes \(shapes(values)), expected as many elements in each")
    }
    if first.stepAxis != nil, second.stepAxis != nil {
      var result = first
      result.axes = [first.axes[first.stepAxis!], second.axes[second.stepAxis!]]
      result.content = .scores(
        KerasScores(queries: first.name, keys: second.name, size: first.size))
      return result
    }
    let model = first.isSequence ? first : second
    let product = try translation.combine(
      .multiply, values, as: model, for: call, part: "products")
    let whole = try translation.spreadOut(product, for: call)
    let name = try translation.add(.linear, [whole], for: call)
    translation.add(
      tensor: "\(name).weight", shape: [1, first.size],
      Array(repeating: 1, count: first.size))
    // The remaining axes: the steps of one, or none, for which Keras has one element.
    let axes = model.axes.filter { if case .steps = $0 { true } else { false } }
    return model.with(name: name, axes: axes.isEmpty ? [.size(1)] : axes)
  }

  /// Sums over the steps: of the products of each element of one sequence with each of the other.
  private func overSteps(
    _ translation: inout KerasTranslation, _ call: KerasCall, _ values: [KerasValue]
  ) throws(ImportError) -> KerasValue {
    for value in values { try call.refuseMask(of: value) }
    let sizes = values.map { $0.sizes.map(KerasValue.Axis.size) }
    var (first, second) = (values[0], values[1])
    let ones = sizes.map { Array(repeating: KerasValue.Axis.size(1), count: $0.count) }
    first.axes = [first.axes[first.stepAxis!]] + sizes[0] + ones[1]
    second.axes = [second.axes[second.stepAxis!]] + ones[0] + sizes[1]
    var pair = call
    pair.arguments = [.value(first), .value(second)]
    let product = try KerasMergeLayers.elementwise(
      .multiply, &translation, pair, part: "products")
    let whole = try translation.spreadOut(product, for: call)
    var result = whole.with(name: try translation.add(.sum, [whole], for: call))
    result.axes = sizes[0] + sizes[1]
    if result.axes.isEmpty { result.axes = [.size(1)] }
    result.mask = nil
    return result
  }

  /// The sum of values weighted by the softmax of scores, for each query.
  private func context(
    _ translation: inout KerasTranslation, _ call: KerasCall, weights: KerasValue,
    values: KerasValue, _ places: [Int]
  ) throws(ImportError) -> KerasValue {
    guard case .scores(let scores) = weights.content, scores.isSoftmax, places[0] == 1,
      values.stepAxis == places[1], values.sizes.count == 1
    else {
      throw layer.refusal(
        "found scores of each step for each other, expected Activation('softmax') and then Dot(axes=[2, 1]) "
          + "with the values")
    }
    var queries = weights
    (queries.name, queries.content) = (scores.queries, .floats)
    var keys = values
    keys.name = scores.keys
    translation.unify([keys, values])
    let name = try translation.add(
      .attention(scale: scores.scale), [queries, keys, values], for: call)
    return weights.with(name: name, axes: [weights.axes[0], .size(values.size)])
  }
}
