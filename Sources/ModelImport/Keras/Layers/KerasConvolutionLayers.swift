import JSON
import ModelFormat

/// Convolutions over the steps, or over a frame within a step.
enum KerasConvolutionLayers {
  static let all = [
    KerasLayerKind("Conv1D", "Convolution1D", weights: count, translate: convolution),
    KerasLayerKind("DepthwiseConv1D", weights: count, translate: convolution),
    KerasLayerKind(
      "SeparableConv1D", "SeparableConvolution1D",
      weights: { KerasWeightCount(trained: count($0).trained + 1) },
      translate: separableConvolution),
  ]

  @Sendable private static func count(_ layer: KerasLayer) -> KerasWeightCount {
    KerasWeightCount(trained: KerasDenseLayers.hasBias(layer) ? 2 : 1)
  }

  /// The parameters of a convolution, and its weights in the graph's layout: [O, D / groups, K] and [O].
  private struct Filter {
    var window: KerasWindow
    var outputs: Int
    var groups: Int
    var weight: [Float]
    var bias: [Float]?
  }

  private static func convolution(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let layer = call.layer
    let value = try KerasFrameSteps.frame(try call.input(), &translation, call)
    let channels = try channels(of: value, call)
    let window = try KerasWindow(layer)
    let isDepthwise = layer.className == "DepthwiseConv1D"
    let groups = isDepthwise ? channels : try layer.integer("groups", 1)
    let outputs =
      isDepthwise
      ? channels * (try layer.integer("depth_multiplier", 1))
      : try layer.integer(layer["filters"] == nil ? "nb_filter" : "filters")
    guard groups > 0, channels % groups == 0, outputs > 0, outputs % groups == 0 else {
      throw layer.refusal(
        "groups: found \(groups), expected a divisor of \(channels) and of \(outputs)")
    }
    let filter = try filter(
      call, channels: channels, outputs: outputs, groups: groups, window: window,
      isDepthwise: isDepthwise)
    let activation = try KerasActivation(layer, "activation")
    let result = try apply(
      filter, to: value, &translation, call, part: activation.isIdentity ? nil : "conv")
    return [try activation.apply(to: result, &translation, call)]
  }

  private static func channels(
    of value: KerasValue, _ call: KerasCall
  ) throws(ImportError) -> Int {
    guard value.axes.count == 2, case .size(let channels) = value.axes[1] else {
      throw call.refusal(of: value, expected: "(steps, channels)")
    }
    return channels
  }

  private static func filter(
    _ call: KerasCall, channels: Int, outputs: Int, groups: Int, window: KerasWindow,
    isDepthwise: Bool
  ) throws(ImportError) -> Filter {
    let layer = call.layer
    let kernel = window.kernel
    var filter = Filter(
      window: window, outputs: outputs, groups: groups, weight: [], bias: nil)
    let found = try call.weights.shape(0, of: layer)
    let inner = channels / groups
    var shape = isDepthwise ? [kernel, channels, outputs / channels] : [kernel, inner, outputs]
    if layer.source.version == 1, found.count == 4 { shape = [kernel, 1, inner, outputs] }
    var expected = [(name: "kernel", shape: shape)]
    if KerasDenseLayers.hasBias(layer) { expected.append(("bias", [outputs])) }
    let arrays = try call.weights.arrays(expected, of: layer)
    // [K, I, O] → [O, I, K]; a depthwise one is [K, C, M], with an output of C · M.
    let rows = isDepthwise ? 1 : inner
    filter.weight = [Float](repeating: 0, count: arrays[0].count)
    for tap in 0..<kernel {
      for row in 0..<rows {
        for output in 0..<outputs {
          filter.weight[(output * rows + row) * kernel + tap] =
            arrays[0][(tap * rows + row) * outputs + output]
        }
      }
    }
    if arrays.count > 1 { filter.bias = arrays[1] }
    return filter
  }

  private static func separableConvolution(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let layer = call.layer
    let value = try call.input()
    let channels = try channels(of: value, call)
    let window = try KerasWindow(layer)
    let between = channels * (try layer.integer("depth_multiplier", 1))
    let outputs = try layer.integer("filters")
    guard between > 0, outputs > 0 else { throw layer.refusal("found no filters") }
    var expected = [
      (name: "depthwise_kernel", shape: [window.kernel, channels, between / channels]),
      ("pointwise_kernel", [1, between, outputs]),
    ]
    if KerasDenseLayers.hasBias(layer) { expected.append(("bias", [outputs])) }
    let arrays = try call.weights.arrays(expected, of: layer)
    let depth = Filter(
      window: window, outputs: between, groups: channels,
      weight: transposed(arrays[0], rows: window.kernel, columns: between), bias: nil)
    let spread = try apply(depth, to: value, &translation, call, part: "depthwise")
    let activation = try KerasActivation(layer, "activation")
    let mixing = Filter(
      window: KerasWindow(kernel: 1), outputs: outputs, groups: 1,
      weight: transposed(arrays[1], rows: between, columns: outputs),
      bias: arrays.count > 2 ? arrays[2] : nil)
    let result = try apply(
      mixing, to: spread, &translation, call, part: activation.isIdentity ? nil : "pointwise",
      prefixPart: "pointwise")
    return [try activation.apply(to: result, &translation, call)]
  }

  /// Adds the convolution's node: over the steps, or over the first axis of a frame.
  private static func apply(
    _ filter: Filter, to input: KerasValue, _ translation: inout KerasTranslation,
    _ call: KerasCall, part: String?, prefixPart: String? = nil
  ) throws(ImportError) -> KerasValue {
    let value = try translation.spreadOut(input, for: call)
    let isFrame = value.stepAxis == nil
    let (base, isNew) = translation.names.prefix(of: call.layer, name: call.name)
    let prefix = prefixPart.map { "\(base).\($0)" } ?? base
    if isNew || prefixPart != nil {
      let rows = filter.weight.count / filter.outputs / filter.window.kernel
      translation.add(
        tensor: "\(prefix).weight", shape: [filter.outputs, rows, filter.window.kernel],
        filter.weight)
      if let bias = filter.bias {
        translation.add(tensor: "\(prefix).bias", shape: [filter.outputs], bias)
      }
    }
    let window = filter.window
    guard isFrame else {
      let op = ModelDescription.Op.conv(
        padding: window.stepPadding, stride: window.stride, dilation: window.dilation,
        groups: filter.groups)
      try window.check(steps: value.stepCount, of: call.layer)
      return translation.withoutMask(value, for: call).with(
        name: try translation.add(op, [value], for: call, part: part, weights: prefix),
        axes: [.steps(window.count(of: value.stepCount)), .size(filter.outputs)])
    }
    let length = value.sizes[0]
    let turned = try translation.map(
      .transpose(rows: length), value, for: call, part: "channels")
    let places = try window.places(of: length, in: call.layer)
    let op = ModelDescription.Op.conv1D(
      stride: window.stride, dilation: window.dilation, groups: filter.groups,
      padding: window.padding(of: length))
    let frame = value.with(
      name: try translation.add(op, [turned], for: call, part: "frame", weights: prefix),
      axes: [.size(places), .size(filter.outputs)])
    return try translation.map(
      .transpose(rows: filter.outputs), frame, for: call, part: part)
  }
}
