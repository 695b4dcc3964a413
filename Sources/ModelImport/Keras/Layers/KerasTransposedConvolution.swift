import JSON
import ModelFormat

/// Conv1DTranspose over the steps: zeros between them, and a convolution with the kernel turned round. Within a step, it and Conv2DTranspose
/// are a matrix of all places.
enum KerasTransposedConvolution {
  static let all = [
    KerasLayerKind(
      "Conv1DTranspose", "Convolution1DTranspose", weights: count, translate: overSteps),
    KerasLayerKind(
      "Conv2DTranspose", "Convolution2DTranspose", weights: count, translate: overImages),
  ]

  @Sendable private static func count(_ layer: KerasLayer) -> KerasWeightCount {
    KerasWeightCount(trained: KerasDenseLayers.hasBias(layer) ? 2 : 1)
  }

  private static func check(
    _ windows: [KerasWindow], outputs: Int, of layer: KerasLayer
  ) throws(ImportError) {
    guard outputs > 0, layer["output_padding"] == nil,
      windows.allSatisfy({ $0.dilation == 1 && $0.padding != .causal })
    else {
      throw layer.refusal(
        "found a dilation, an output_padding or a causal padding, expected none of these",
        remedy: KerasModel.remedyInParts)
    }
  }

  private static func overImages(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let value = try KerasImageLayers.image(&translation, call)
    guard value.stepAxis == nil else {
      throw call.layer.refusal(
        "found the steps among the axes of images, \(value.shape), expected images within a step, as in TimeDistributed",
        remedy: KerasModel.remedyInParts)
    }
    let windows = try KerasImageLayers.windows(call.layer, kernel: "kernel_size")
    return [try within(value, windows, &translation, call)]
  }

  /// Of the rows and columns within a step.
  private static func within(
    _ value: KerasValue, _ windows: [KerasWindow], _ translation: inout KerasTranslation,
    _ call: KerasCall, kernel: [Int]? = nil
  ) throws(ImportError) -> KerasValue {
    let layer = call.layer
    let (channels, outputs) = (value.sizes[2], try layer.integer("filters"))
    try check(windows, outputs: outputs, of: layer)
    var expected = [
      (name: "kernel", shape: (kernel ?? windows.map(\.kernel)) + [outputs, channels])
    ]
    if KerasDenseLayers.hasBias(layer) { expected.append(("bias", [outputs])) }
    let arrays = try call.weights.arrays(expected, of: layer)
    // [rows, columns, outputs, channels] → [rows, columns, channels, outputs].
    let area = channels * outputs
    let taps = arrays[0].count / area
    let turned = (0..<taps).flatMap { tap in
      (0..<area).map { arrays[0][tap * area + $0 % outputs * channels + $0 / outputs] }
    }
    let filter = KerasFilter(
      windows: windows, channels: channels, outputs: outputs, kernel: turned,
      bias: arrays.count > 1 ? arrays[1] : nil, isTransposed: true)
    let activation = try KerasActivation(layer, "activation")
    let result = try filter.applied(
      to: value, translation.names.prefix(of: layer, name: call.name), &translation, call,
      part: activation.isIdentity ? nil : "conv")
    return try activation.apply(to: result, &translation, call)
  }

  private static func overSteps(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let layer = call.layer
    let given = translation.withoutMask(
      try translation.spreadOut(try call.input(), for: call), for: call)
    let value = try KerasFrameSteps.frame(given, &translation, call)
    let window = try KerasWindow(layer)
    if value.stepAxis == nil, value.axes.count == 2 {
      // An image of one row.
      var image = value
      image.axes.insert(.size(1), at: 0)
      var result = try within(
        image, [KerasWindow(kernel: 1), window], &translation, call, kernel: [window.kernel])
      result.axes.removeFirst()
      return [result]
    }
    let (channels, count) = try call.sequence(value)
    let outputs = try layer.integer("filters")
    try check([window], outputs: outputs, of: layer)
    let (kernel, stride) = (window.kernel, window.stride)
    let surplus = max(kernel - stride, 0)
    // The zeros before the steps, less what `same` leaves out there.
    let cut = window.padding == .same ? surplus / 2 : 0
    let behind = window.padding == .same ? cut : surplus
    let (prefix, isNew) = translation.names.prefix(of: layer, name: call.name)
    if isNew {
      try addWeights(
        &translation, call, prefix: prefix, kernel: kernel, channels: channels, outputs: outputs)
    }
    let activation = try KerasActivation(layer, "activation")
    let stuffed =
      stride == 1 ? value : try stuffed(value, stride: stride, &translation, call)
    let result = stuffed.with(
      name: try translation.add(
        .conv(padding: .explicit(before: kernel - 1 - cut, after: behind)), [stuffed], for: call,
        part: activation.isIdentity ? nil : "conv", weights: prefix),
      axes: [.steps(count.map(window.transposedCount)), .size(outputs)])
    return [try activation.apply(to: result, &translation, call)]
  }

  private static func addWeights(
    _ translation: inout KerasTranslation, _ call: KerasCall, prefix: String, kernel: Int,
    channels: Int, outputs: Int
  ) throws(ImportError) {
    var expected = [(name: "kernel", shape: [kernel, outputs, channels])]
    if KerasDenseLayers.hasBias(call.layer) { expected.append(("bias", [outputs])) }
    let arrays = try call.weights.arrays(expected, of: call.layer)
    var weight = [Float](repeating: 0, count: arrays[0].count)
    for tap in 0..<kernel {
      for output in 0..<outputs {
        for channel in 0..<channels {
          weight[(output * channels + channel) * kernel + kernel - 1 - tap] =
            arrays[0][(tap * outputs + output) * channels + channel]
        }
      }
    }
    translation.add(tensor: "\(prefix).weight", shape: [outputs, channels, kernel], weight)
    if arrays.count > 1 {
      translation.add(tensor: "\(prefix).bias", shape: [outputs], arrays[1])
    }
  }

  /// Each step followed by zeros, so that there are `stride` times as many.
  private static func stuffed(
    _ value: KerasValue, stride: Int, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let steps = value.stepCount.map { $0 * stride }
    let repeated = value.with(
      name: try translation.add(.repeatSteps(times: stride), [value], for: call, part: "repeated"),
      axes: [.steps(steps), value.axes[1]])
    // The place of a step among those of one before: its number, less that of the one before times the stride.
    let number = try numbers(repeated, &translation, call)
    let before = try numbers(value, &translation, call)
    var group = number.with(
      name: try translation.add(.repeatSteps(times: stride), [before], for: call, part: "group"))
    group = try translation.map(
      .affine(scale: [Float(stride)], shift: [Float(1 - stride)]), group, for: call, part: "group")
    let place = try translation.combine(
      .subtract, [number, group], as: number, for: call, part: "place")
    let isFirst = try translation.chain(
      [.affine(scale: [-1], shift: [1]), .relu], place, for: call, part: "first")
    return try translation.combine(
      .multiply, [repeated, isFirst], as: repeated, for: call, part: "stuffed")
  }

  /// 1, 2, 3, … for the steps of a sequence: a network that adds one at each.
  private static func numbers(
    _ value: KerasValue, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let element = value.with(
      name: try translation.add(.slice(start: 0, end: 1), [value], for: call, part: "element"),
      axes: [value.axes[0], .size(1)])
    let one = try KerasComparisons.constant(1, like: element, &translation, call)
    var op = RNNOp()
    op.activation = CellActivation(.relu)
    let name = try translation.add(.rnn(op), [one], for: call, part: "number")
    translation.add(tensor: "\(name).weight_ih_l0", shape: [1, 1], [1])
    translation.add(tensor: "\(name).weight_hh_l0", shape: [1, 1], [1])
    return one.with(name: name)
  }
}
