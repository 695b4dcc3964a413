import JSON
import ModelFormat

/// Convolutions over images. Within a step one is a matrix of all its places, so that images are small.
enum KerasImageConvolutions {
  static let all = [
    KerasLayerKind("Conv2D", "Convolution2D", weights: count, translate: convolution),
    KerasLayerKind("DepthwiseConv2D", weights: count, translate: convolution),
    KerasLayerKind(
      "SeparableConv2D", "SeparableConvolution2D",
      weights: { KerasWeightCount(trained: count($0).trained + 1) }, translate: separable),
  ]

  @Sendable private static func count(_ layer: KerasLayer) -> KerasWeightCount {
    KerasWeightCount(trained: KerasDenseLayers.hasBias(layer) ? 2 : 1)
  }

  /// The kernel of a convolution in groups, [rows, columns, channels of a group, outputs], as one over all channels.
  private static func whole(
    _ kernel: [Float], channels: Int, outputs: Int, groups: Int, of layer: KerasLayer
  ) throws(ImportError) -> [Float] {
    guard groups > 1 else { return kernel }
    let (inner, outer) = (channels / groups, outputs / groups)
    let taps = kernel.count / (inner * outputs)
    guard taps * outputs <= KerasLayer.maxWeights / channels else {
      throw layer.refusal(
        "found \(groups) groups of \(channels) channels, which have more than \(KerasLayer.maxWeights) weights as one convolution",
        remedy: KerasModel.remedyInParts)
    }
    var result = [Float](repeating: 0, count: taps * channels * outputs)
    for tap in 0..<taps {
      for row in 0..<inner {
        for output in 0..<outputs {
          let channel = output / outer * inner + row
          result[(tap * channels + channel) * outputs + output] =
            kernel[(tap * inner + row) * outputs + output]
        }
      }
    }
    return result
  }

  /// The image, the number of its channels, and the windows over its rows and columns.
  private static func operands(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> (image: KerasValue, channels: Int, windows: [KerasWindow]) {
    let image = try KerasImageLayers.image(&translation, call)
    let windows = try KerasImageLayers.windows(call.layer, kernel: "kernel_size")
    return (image, image.sizes[image.sizes.count - 1], windows)
  }

  private static func convolution(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let layer = call.layer
    let (value, channels, windows) = try operands(&translation, call)
    let isDepthwise = layer.className == "DepthwiseConv2D"
    let groups = isDepthwise ? channels : try layer.integer("groups", 1)
    let outputs =
      isDepthwise
      ? channels * (try layer.integer("depth_multiplier", 1)) : try layer.integer("filters")
    guard groups > 0, channels % groups == 0, outputs > 0, outputs % groups == 0 else {
      throw layer.refusal(
        "groups: found \(groups), expected a divisor of \(channels) channels and of \(outputs) filters"
      )
    }
    let area = [windows[0].kernel, windows[1].kernel]
    var expected = [
      (
        name: "kernel",
        shape: area
          + (isDepthwise ? [channels, outputs / channels] : [channels / groups, outputs])
      )
    ]
    if KerasDenseLayers.hasBias(layer) { expected.append(("bias", [outputs])) }
    let arrays = try call.weights.arrays(expected, of: layer)
    let filter = KerasFilter(
      windows: windows, channels: channels, outputs: outputs,
      kernel: try whole(
        arrays[0], channels: channels, outputs: outputs, groups: groups, of: layer),
      bias: arrays.count > 1 ? arrays[1] : nil)
    let activation = try KerasActivation(layer, "activation")
    let tensors = translation.names.prefix(of: layer, name: call.name)
    let result = try apply(
      filter, tensors, to: value, &translation, call, part: activation.isIdentity ? nil : "conv")
    return [try activation.apply(to: result, &translation, call)]
  }

  private static func separable(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let layer = call.layer
    let (value, channels, windows) = try operands(&translation, call)
    let between = channels * (try layer.integer("depth_multiplier", 1))
    let outputs = try layer.integer("filters")
    guard between > 0, outputs > 0 else { throw layer.refusal("found no filters") }
    var expected = [
      (
        name: "depthwise_kernel",
        shape: [windows[0].kernel, windows[1].kernel, channels, between / channels]
      ), ("pointwise_kernel", [1, 1, between, outputs]),
    ]
    if KerasDenseLayers.hasBias(layer) { expected.append(("bias", [outputs])) }
    let arrays = try call.weights.arrays(expected, of: layer)
    let depth = KerasFilter(
      windows: windows, channels: channels, outputs: between,
      kernel: try whole(
        arrays[0], channels: channels, outputs: between, groups: channels, of: layer))
    let tensors = translation.names.prefix(of: layer, name: call.name)
    let spread = try apply(depth, tensors, to: value, &translation, call, part: "depthwise")
    let mixing = KerasFilter(
      windows: [KerasWindow(kernel: 1), KerasWindow(kernel: 1)], channels: between,
      outputs: outputs, kernel: arrays[1], bias: arrays.count > 2 ? arrays[2] : nil)
    let activation = try KerasActivation(layer, "activation")
    let result = try apply(
      mixing, ("\(tensors.prefix).pointwise", tensors.isNew), to: spread, &translation, call,
      part: activation.isIdentity ? nil : "pointwise")
    return [try activation.apply(to: result, &translation, call)]
  }

  /// Adds the convolution's node: over the steps and an axis of elements, or within a step.
  ///
  /// - Parameter tensors: the prefix of its tensors, and whether no other call of the layer has added them.
  private static func apply(
    _ filter: KerasFilter, _ tensors: (prefix: String, isNew: Bool), to image: KerasValue,
    _ translation: inout KerasTranslation, _ call: KerasCall, part: String?
  ) throws(ImportError) -> KerasValue {
    try KerasImageLayers.byRows(image) { value, isTurned throws(ImportError) in
      let filter = isTurned ? filter.turned : filter
      if value.stepAxis == nil {
        return try filter.applied(to: value, tensors, &translation, call, part: part)
      }
      return try overSteps(filter, tensors, value, &translation, call, part: part)
    }
  }

  /// Over the steps and the columns. Channels go ahead of the columns for the op, and behind them again.
  private static func overSteps(
    _ filter: KerasFilter, _ tensors: (prefix: String, isNew: Bool), _ value: KerasValue,
    _ translation: inout KerasTranslation, _ call: KerasCall, part: String?
  ) throws(ImportError) -> KerasValue {
    let (windows, channels, outputs) = (filter.windows, filter.channels, filter.outputs)
    try windows[0].check(steps: value.stepCount, of: call.layer)
    let width = value.sizes[0]
    let columns = try windows[1].places(of: width, in: call.layer)
    if tensors.isNew {
      let shape = [outputs, channels, windows[0].kernel, windows[1].kernel]
      let area = windows[0].kernel * windows[1].kernel
      var weight: [Float] = []
      for output in 0..<outputs {
        for channel in 0..<channels {
          for tap in 0..<area {
            weight.append(filter.kernel[(tap * channels + channel) * outputs + output])
          }
        }
      }
      translation.add(tensor: "\(tensors.prefix).weight", shape: shape, weight)
      if let bias = filter.bias {
        translation.add(tensor: "\(tensors.prefix).bias", shape: [outputs], bias)
      }
    }
    let op = ModelDescription.Op.conv2D(
      padding: windows[0].stepPadding, stride: windows[0].stride, dilation: windows[0].dilation,
      framePadding: windows[1].padding(of: width), frameStride: windows[1].stride,
      frameDilation: windows[1].dilation)
    var frame = value
    if width > 1, channels > 1 {
      frame = value.with(
        name: try translation.add(
          .transpose(rows: width), [value], for: call, part: "channels"))
    }
    let isTurned = outputs > 1 && columns > 1
    let result = value.with(
      name: try translation.add(
        op, [frame], for: call, part: isTurned ? "places" : part, weights: tensors.prefix),
      axes: [.steps(windows[0].count(of: value.stepCount)), .size(columns), .size(outputs)])
    guard isTurned else { return result }
    return result.with(
      name: try translation.add(.transpose(rows: outputs), [result], for: call, part: part))
  }
}
