import JSON
import ModelFormat

/// Activations that are layers.
enum KerasActivationLayers {
  static let all = [
    KerasLayerKind("Activation") { translation, call throws(ImportError) in
      let value = try call.input()
      // A softmax of attention scores.
      if case .scores(var scores) = value.content, call.layer["activation"]?.string == "softmax" {
        var result = value
        scores.isSoftmax = true
        result.content = .scores(scores)
        return [result]
      }
      return [
        try KerasActivation(call.layer, "activation").apply(to: value, &translation, call)
      ]
    },
    KerasLayerKind("ReLU", "LeakyReLU", "ELU", "ThresholdedReLU") {
      translation, call throws(ImportError) in
      let value = try call.input()
      if call.layer.className == "ReLU" {
        return [try relu(value, &translation, call)]
      }
      return [try translation.map(try op(of: call.layer), value, for: call)]
    },
    KerasLayerKind("PReLU", weights: { _ in KerasWeightCount(trained: 1) }, translate: prelu),
    KerasLayerKind("Softmax", translate: softmax),
  ]

  /// The single op of an activation layer.
  static func op(of layer: KerasLayer) throws(ImportError) -> ModelDescription.Op {
    switch layer.className {
    case "ReLU":
      let ops = try reluOps(of: layer)
      guard ops.count == 1 else { throw layer.refusal("found both a slope and a bound in a cell") }
      return ops[0]
    case "LeakyReLU":
      // Keras 3's name is negative_slope.
      let slope = try layer.number("negative_slope", layer.number("alpha", 0.3))
      return .leakyReLU(slope: Float(slope))
    case "ELU": return .elu(alpha: Float(try layer.number("alpha", 1)))
    case "ThresholdedReLU":
      return .thresholdedReLU(alpha: Float(try layer.number("theta", 1)))
    default: throw KerasLayerTable.refusal(of: layer)
    }
  }

  /// `max_value` above it, `slope · (x - threshold)` below the threshold.
  private static func relu(
    _ value: KerasValue, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let (slope, threshold) = try slopeAndThreshold(of: call.layer)
    guard slope != 0, threshold != 0 else {
      return try translation.chain(try reluOps(of: call.layer), value, for: call)
    }
    let above = try translation.chain(
      [.thresholdedReLU(alpha: threshold)] + bound(of: call.layer), value, for: call, part: "above")
    let below = try translation.chain(
      [.affine(scale: [-1], shift: [threshold]), .relu, .affine(scale: [slope], shift: nil)], value,
      for: call, part: "below")
    return try translation.combine(.subtract, [above, below], as: value, for: call)
  }

  /// The same by ops one after another, which there are for a slope or a threshold alone.
  private static func reluOps(of layer: KerasLayer) throws(ImportError) -> [ModelDescription.Op] {
    let (slope, threshold) = try slopeAndThreshold(of: layer)
    guard threshold == 0 || slope == 0 else {
      throw layer.refusal("found both a negative_slope and a threshold, expected one of them")
    }
    let op: ModelDescription.Op =
      threshold != 0
      ? .thresholdedReLU(alpha: threshold) : slope == 0 ? .relu : .leakyReLU(slope: slope)
    return [op] + (try bound(of: layer))
  }

  private static func slopeAndThreshold(of layer: KerasLayer) throws(ImportError) -> (Float, Float)
  {
    (
      Float(try layer.number("negative_slope", 0)), Float(try layer.number("threshold", 0))
    )
  }

  private static func bound(of layer: KerasLayer) throws(ImportError) -> [ModelDescription.Op] {
    guard layer["max_value"] != nil else { return [] }
    return [.clip(max: Float(try layer.number("max_value", 0)))]
  }

  private static func prelu(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let layer = call.layer
    let value = try translation.spreadOut(try call.input(), for: call)
    let shape = try call.weights.shape(0, of: layer)
    let arrays = try call.weights.arrays([("alpha", shape)], of: layer)
    // A slope for each element, the same at all steps.
    var sizes = shape
    if let stepAxis = value.stepAxis, stepAxis < sizes.count { sizes.remove(at: stepAxis) }
    if value.stepCount != nil, shape.count == value.axes.count, shape.count > sizes.count,
      shape[value.stepAxis!] != 1
    {
      let positive = try translation.map(.relu, value, for: call, part: "positive")
      let negative = try translation.chain(
        [.affine(scale: [-1], shift: nil), .relu], value, for: call, part: "negative")
      let sloped = try KerasTable(shape: [1] + shape, arrays[0]).combined(
        .multiply, with: negative, isFirst: false, &translation, call, part: "sloped")
      return [
        try translation.combine(.subtract, [positive, sloped], as: value, for: call)
      ]
    }
    guard shape.count == value.axes.count, sizes == value.sizes,
      arrays[0].count == value.size
    else {
      throw layer.refusal(
        "alpha: found the sizes \(shape), expected a slope for each element and all steps: shared_axes=[1]"
      )
    }
    let (prefix, isNew) = translation.names.prefix(of: layer, name: call.name)
    if isNew { translation.add(tensor: "\(prefix).weight", shape: [value.size], arrays[0]) }
    return [
      value.with(name: try translation.add(.prelu, [value], for: call, weights: prefix))
    ]
  }

  // MARK: Softmax

  private static func softmax(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let value = try call.input()
    if let mask = call["mask"]?.values, !mask.isEmpty {
      throw call.layer.refusal(
        "mask: found one that the call names, which is not carried",
        remedy: "send sequences without padding, and save the model without the mask")
    }
    // The batch's axis is 0.
    let places = (try call.layer.integers("axis") ?? [-1]).map { axis in
      axis < 0 ? value.axes.count + axis : axis - 1
    }
    return [try softmax(&translation, call, value, over: Set(places), op: .softmax)]
  }

  /// exp(x − max) / Σ exp(x − max) along some axes, or its logarithm.
  ///
  /// - Parameter places: indices of the value's axes.
  static func softmax(
    _ translation: inout KerasTranslation, _ call: KerasCall, _ value: KerasValue,
    over places: Set<Int>, op: ModelDescription.Op
  ) throws(ImportError) -> KerasValue {
    if let place = places.first(where: { !value.axes.indices.contains($0) }) {
      throw call.layer.refusal("axis: found \(place + 1), the input has the sizes \(value.shape)")
    }
    // Of attention scores, over the keys.
    if case .scores(var scores) = value.content, op == .softmax, places == [1] {
      var result = value
      scores.isSoftmax = true
      result.content = .scores(scores)
      return result
    }
    let isOverSteps = value.stepAxis.map(places.contains) ?? false
    let others = value.axes.indices.filter { $0 != value.stepAxis && !places.contains($0) }
    if !isOverSteps, KerasReductions.size(of: others, value) == 1 {
      return try translation.map(op, translation.spreadOut(value, for: call), for: call)
    }
    if isOverSteps { try call.refuseMask(of: value) }
    let whole =
      places.count == 1 && isOverSteps ? value : try translation.spreadOut(value, for: call)
    func reduced(
      _ kind: KerasReductions.Kind, _ value: KerasValue, _ part: String
    ) throws(ImportError) -> KerasValue {
      try KerasReductions.reduced(
        kind, value, over: places, keeps: true, &translation, call, part: part)
    }
    func combined(
      _ op: ModelDescription.Op, _ first: KerasValue, _ second: KerasValue, _ part: String?
    ) throws(ImportError) -> KerasValue {
      var pair = call
      pair.arguments = [.value(first), .value(second)]
      return try KerasMergeLayers.elementwise(op, &translation, pair, part: part)
    }
    let low = try combined(.subtract, whole, try reduced(.max, whole, "max"), "less")
    let raised = try translation.map(.exp, low, for: call, part: "exp")
    let sum = try reduced(.sum, raised, "sum")
    var result =
      op == .softmax
      ? try combined(.divide, raised, sum, nil)
      : try combined(
        .subtract, low, try translation.map(.log, sum, for: call, part: "log"), nil)
    (result.axes, result.mask) = (value.axes, value.mask)
    return result
  }
}
