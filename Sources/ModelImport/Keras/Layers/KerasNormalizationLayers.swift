import JSON
import ModelFormat

/// Layers that shift and scale: norms, Normalization, Rescaling.
enum KerasNormalizationLayers {
  static let all = [
    KerasLayerKind(
      "BatchNormalization", "SyncBatchNormalization", "BatchNormalizationV1",
      weights: { layer in
        KerasWeightCount(
          trained: ["center", "scale"].count { (try? layer.bool($0, true)) ?? true }, fixed: 2)
      }, translate: batchNormalization),
    KerasLayerKind(
      "LayerNormalization",
      weights: { layer in
        KerasWeightCount(
          trained: ["center", "scale"].count { (try? layer.bool($0, true)) ?? true })
      }, translate: layerNormalization),
    KerasLayerKind(
      "RMSNormalization", weights: { _ in KerasWeightCount(trained: 1) },
      translate: rmsNormalization),
    KerasLayerKind(
      "GroupNormalization",
      weights: { layer in
        KerasWeightCount(
          trained: ["center", "scale"].count { (try? layer.bool($0, true)) ?? true })
      }, translate: groupNormalization),
    KerasLayerKind("UnitNormalization") { translation, call throws(ImportError) in
      let value = try translation.spreadOut(try call.input(), for: call)
      let norm = KerasNorm(
        kind: .euclidean, places: Set(try places(call, in: value)), epsilon: 1e-12)
      return [try norm.apply(to: value, KerasNorm.Weights(), &translation, call)]
    },
    KerasLayerKind(
      "Normalization",
      weights: { layer in
        layer["mean"] == nil ? KerasWeightCount(fixed: 3) : KerasWeightCount()
      }, translate: normalization),
    KerasLayerKind("Rescaling") { translation, call throws(ImportError) in
      let value = KerasIdentityLayers.masked(try call.input(), since: 3, &translation, call)
      let scale = try numbers("scale", 1, of: call.layer, count: value.size)
      let shift = try numbers("offset", 0, of: call.layer, count: value.size)
      return [try translation.map(.affine(scale: scale, shift: shift), value, for: call)]
    },
  ]

  /// γ and β if the layer has them, and its other weights.
  private static func parameters(
    _ call: KerasCall, size: Int, others: [String] = []
  ) throws(ImportError) -> [String: [Float]] {
    var names: [String] = []
    if try call.layer.bool("scale", true) { names.append("gamma") }
    if try call.layer.bool("center", true) { names.append("beta") }
    names += others
    let arrays = try call.weights.arrays(names.map { ($0, [size]) }, of: call.layer)
    return Dictionary(uniqueKeysWithValues: zip(names, arrays))
  }

  private static func batchNormalization(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let layer = call.layer
    let value = try translation.spreadOut(try call.input(), for: call)
    let axes = try layer.integers("axis") ?? [-1]
    if try layer.integer("mode", 0) != 0 {
      throw layer.refusal("mode: found \(try layer.integer("mode", 0)), expected 0")
    }
    guard axes.count == 1 else { throw layer.refusal("axis: found \(axes), expected one axis") }
    // Inside TimeDistributed the layer's axes are those of a step.
    let place = axes[0] < 0 ? value.axes.count + axes[0] : axes[0] - 1
    if place == value.stepAxis, let steps = value.stepCount {
      let known = try parameters(call, size: steps, others: ["moving_mean", "moving_variance"])
      return [try KerasStepNorms.batch(known, of: value, steps: steps, &translation, call)]
    }
    guard value.axes.indices.contains(place), case .size(let size) = value.axes[place] else {
      throw layer.refusal(
        "axis: found \(axes) of the sizes \(value.shape), expected an axis of elements")
    }
    let known = try parameters(
      call, size: size, others: ["moving_mean", "moving_variance"])
    let epsilon = Float(try layer.number("epsilon", 1e-3))
    let (prefix, isNew) = translation.names.prefix(of: layer, name: call.name)
    if value.sizes.count == 1 {
      if isNew {
        let names = [
          ("gamma", "weight"), ("beta", "bias"), ("moving_mean", "running_mean"),
          ("moving_variance", "running_var"),
        ]
        for (name, tensor) in names {
          if let floats = known[name] {
            translation.add(tensor: "\(prefix).\(tensor)", shape: [size], floats)
          }
        }
      }
      return [
        value.with(
          name: try translation.add(
            .batchNorm(epsilon: epsilon), [value], for: call, weights: prefix))
      ]
    }
    if isNew {
      // A frame has an element for each position of each channel.
      let inner = value.axes[(place + 1)...].reduce(1) { product, axis in
        if case .size(let size) = axis { product * size } else { product }
      }
      var scale: [Float] = []
      var shift: [Float] = []
      for index in 0..<value.size {
        let channel = index / inner % size
        let factor =
          Double(known["gamma"]?[channel] ?? 1)
          / (Double(known["moving_variance"]![channel]) + Double(epsilon)).squareRoot()
        scale.append(Float(factor))
        shift.append(
          Float(
            Double(known["beta"]?[channel] ?? 0) - Double(known["moving_mean"]![channel]) * factor))
      }
      translation.add(tensor: "\(prefix).weight", shape: [value.size], scale)
      translation.add(tensor: "\(prefix).bias", shape: [value.size], shift)
    }
    return [
      value.with(
        name: try translation.add(
          .affine(scale: nil, shift: nil), [value], for: call, weights: prefix))
    ]
  }

  /// The places among a value's axes that a layer names.
  private static func places(
    _ call: KerasCall, in value: KerasValue
  ) throws(ImportError) -> [Int] {
    let axes = try call.layer.integers("axis") ?? [-1]
    // The batch's axis is 0.
    let places = axes.map { $0 < 0 ? value.axes.count + $0 : $0 - 1 }
    guard !places.isEmpty, Set(places).count == places.count, places == places.sorted(),
      places.allSatisfy(value.axes.indices.contains)
    else {
      throw call.layer.refusal("axis: found \(axes), the input has the sizes \(value.shape)")
    }
    return places
  }

  private static func layerNormalization(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let layer = call.layer
    let value = try translation.spreadOut(try call.input(), for: call)
    if try layer.bool("rms_scaling") {
      throw layer.refusal(
        "rms_scaling: found true, expected false",
        remedy: "train the model with RMSNormalization in its place")
    }
    let norm = KerasNorm(
      kind: .standard, places: Set(try places(call, in: value)),
      epsilon: Float(try layer.number("epsilon", 1e-3)))
    let weights = try KerasNorm.Weights(of: value, along: norm.places, call)
    return [try norm.apply(to: value, weights, &translation, call)]
  }

  private static func rmsNormalization(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    // In no version does the layer keep masks.
    let input = translation.withoutMask(try call.input(), for: call)
    let value = try translation.spreadOut(input, for: call)
    let norm = KerasNorm(
      kind: .rootMeanSquare, places: Set(try places(call, in: value)),
      epsilon: Float(try call.layer.number("epsilon", 1e-6)))
    let weights = try KerasNorm.Weights(of: value, along: norm.places, call, scale: "scale")
    return [try norm.apply(to: value, weights, &translation, call)]
  }

  /// Mean and variance of each group of channels over all other axes, the steps among them.
  private static func groupNormalization(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let layer = call.layer
    var value = try translation.spreadOut(try call.input(), for: call)
    let axes = value.axes
    let places = try places(call, in: value)
    guard places.count == 1, case .size(let size) = axes[places[0]] else {
      throw layer.refusal(
        "axis: found \(try layer.integers("axis") ?? [-1]) of the sizes \(value.shape), expected one of elements"
      )
    }
    let groups = try layer.number("groups", 32)
    let count = groups == -1 ? size : Int(exactly: groups) ?? 0
    guard count > 0, size % count == 0 else {
      throw layer.refusal("groups: found \(groups), expected a divisor of \(size)")
    }
    let weights = try KerasNorm.Weights(of: value, along: [places[0]], call)
    value.axes.replaceSubrange(places[0]...places[0], with: [.size(count), .size(size / count)])
    let norm = KerasNorm(
      kind: .standard, places: Set(value.axes.indices).subtracting(places),
      epsilon: Float(try layer.number("epsilon", 1e-3)))
    return [try norm.apply(to: value, weights, as: axes, &translation, call)]
  }

  // MARK: Normalization

  /// `(x - mean) / max(√variance, 1e-7)`, done by the input itself if nothing else uses it; with
  /// `invert` the way back.
  private static func normalization(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let layer = call.layer
    let input = KerasIdentityLayers.masked(try call.input(), since: 3, &translation, call)
    let value = try translation.spreadOut(input, for: call)
    let axes = try layer.integers("axis") ?? []
    guard value.sizes.count == 1 || axes.isEmpty else {
      throw call.refusal(of: value, expected: "one size a step")
    }
    if let place = value.stepAxis,
      axes.contains(where: { [place + 1, place - value.axes.count].contains($0) })
    {
      return [try KerasStepNorms.normalization(axes, of: value, &translation, call)]
    }
    let size = axes.isEmpty ? 1 : value.size
    var mean: [Float]
    var variance: [Float]
    if layer["mean"] != nil {
      mean = try numbers("mean", 0, of: layer, count: value.size) ?? [0]
      variance = try numbers("variance", 1, of: layer, count: value.size) ?? [1]
    } else {
      let shape = axes.isEmpty ? [] : [size]
      let arrays = try call.weights.arrays(
        [("mean", shape), ("variance", shape), ("count", [])], of: layer)
      (mean, variance) = (arrays[0], arrays[1])
    }
    if mean.count == 1 { mean = Array(repeating: mean[0], count: value.size) }
    if variance.count == 1 { variance = Array(repeating: variance[0], count: value.size) }
    let scale = variance.map { max($0.squareRoot(), 1e-7) }
    guard (mean + scale).allSatisfy(\.isFinite) else {
      throw layer.refusal("found a mean or variance that is no number: was adapt() called?")
    }
    if try layer.bool("invert") {
      let scaled = try translation.map(
        .affine(scale: scale, shift: nil), value, for: call, part: "scaled")
      return [try translation.map(.affine(scale: nil, shift: mean), scaled, for: call)]
    }
    if case .input(let index) = value.content, translation.inputs[index].isOpen,
      value.stepAxis != nil
    {
      try translation.inputs[index].normalise(mean: mean, scale: scale, for: call)
      var result = value
      result.content = .floats
      return [result]
    }
    // In two operations, as in Keras: merged, a large mean would cost digits.
    let centred = try translation.map(
      .affine(scale: nil, shift: mean.map { -$0 }), value, for: call, part: "centred")
    return [
      try translation.map(
        .affine(scale: scale.map { 1 / $0 }, shift: nil), centred, for: call)
    ]
  }

  /// A number for each element; nil if the key is absent and the default changes nothing.
  private static func numbers(
    _ key: String, _ standard: Float, of layer: KerasLayer, count: Int
  ) throws(ImportError) -> [Float]? {
    guard var value = layer[key] else { return nil }
    while case .array(let elements) = value, elements.count == 1 { value = elements[0] }
    let numbers = value.elements.map { $0.compactMap(\.number) } ?? value.number.map { [$0] } ?? []
    guard numbers.count == 1 || numbers.count == count, numbers.allSatisfy(\.isFinite) else {
      throw layer.refusal("\(key): found \(value.kind), expected one number or \(count)")
    }
    return numbers.map(Float.init)
  }
}
