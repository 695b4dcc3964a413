import JSON
import ModelFormat

/// Conv1DTranspose: zeros between the steps, and a convolution with the kernel turned round.
enum KerasTransposedConvolution {
  static let layer = KerasLayerKind(
    "Conv1DTranspose", "Convolution1DTranspose",
    weights: { KerasWeightCount(trained: KerasDenseLayers.hasBias($0) ? 2 : 1) },
    translate: translate)

  private static func translate(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let layer = call.layer
    let value = translation.withoutMask(
      try translation.spreadOut(try call.input(), for: call), for: call)
    let (channels, count) = try call.sequence(value)
    let window = try KerasWindow(layer)
    let outputs = try layer.integer("filters")
    guard outputs > 0, window.dilation == 1, layer["output_padding"] == nil,
      window.padding != .causal
    else {
      throw layer.refusal(
        "found a dilation, an output_padding or a causal padding, expected none of these")
    }
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
      axes: [
        .steps(count.map { $0 * stride + (window.padding == .same ? 0 : surplus) }),
        .size(outputs),
      ])
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
