import JSON
import ModelFormat

/// Layers over images, within a step (TimeDistributed) or over the steps and one axis of elements: spectrograms, as in speech and in
/// writing. Within a step a convolution is a matrix of all its places, so that images are small.
enum KerasImageLayers {
  static let all = [
    KerasLayerKind(
      "Conv2D", "Convolution2D",
      weights: { KerasWeightCount(trained: KerasDenseLayers.hasBias($0) ? 2 : 1) },
      translate: convolution),
    KerasLayerKind("MaxPooling2D", "MaxPool2D") { translation, call throws(ImportError) in
      [try pooled(isMax: true, &translation, call)]
    },
    KerasLayerKind("AveragePooling2D", "AvgPool2D") { translation, call throws(ImportError) in
      [try pooled(isMax: false, &translation, call)]
    },
  ]

  /// The most weights of the matrix of a convolution.
  private static let maxWeights = 1 << 24

  /// An image of rows, columns and channels; its rows may be the steps.
  static func image(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let value = translation.withoutMask(
      try translation.spreadOut(try call.input(), for: call), for: call)
    guard value.axes.count == 3, value.stepAxis ?? 0 == 0,
      call.layer["data_format"]?.string ?? "channels_last" == "channels_last"
    else {
      throw call.refusal(of: value, expected: "an image: (rows, columns, channels)")
    }
    return value
  }

  /// The window of each of the two axes.
  private static func windows(
    _ layer: KerasLayer, kernel key: String
  ) throws(ImportError) -> [KerasWindow] {
    func pair(_ key: String, _ standard: [Int]) throws(ImportError) -> [Int] {
      let numbers = try layer.integers(key) ?? standard
      guard (1...2).contains(numbers.count), numbers.allSatisfy({ $0 > 0 }) else {
        throw layer.refusal("\(key): found \(numbers), expected two numbers of 1 or more")
      }
      return [numbers[0], numbers[numbers.count - 1]]
    }
    let kernels = try pair(key, [2])
    let strides = try pair("strides", key == "pool_size" ? kernels : [1])
    let dilations = try pair("dilation_rate", [1])
    let word = try layer.text("padding") ?? "valid"
    guard let padding = KerasWindow.Padding(rawValue: word), padding != .causal else {
      throw layer.refusal("padding: found \(word.jsonExcerpt), expected valid or same")
    }
    return (0..<2).map { axis in
      var window = KerasWindow(kernel: kernels[axis])
      (window.stride, window.dilation, window.padding) = (strides[axis], dilations[axis], padding)
      return window
    }
  }

  // MARK: Conv2D

  private static func convolution(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    let layer = call.layer
    let value = try image(&translation, call)
    let windows = try windows(layer, kernel: "kernel_size")
    let outputs = try layer.integer("filters")
    let columns = try windows[1].places(of: value.sizes[value.sizes.count - 2], in: layer)
    guard outputs > 0, try layer.integer("groups", 1) == 1 else {
      throw layer.refusal("found no filters, or several groups")
    }
    let activation = try KerasActivation(layer, "activation")
    let part = activation.isIdentity ? nil : "conv"
    let result: KerasValue
    if case .size(let height) = value.axes[0] {
      result = try within(
        &translation, call, value, windows, height: height, columns: columns, outputs: outputs,
        part: part)
    } else {
      result = try overSteps(
        &translation, call, value, windows, columns: columns, outputs: outputs, part: part)
    }
    return [try activation.apply(to: result, &translation, call)]
  }

  /// The layer's weights, as Keras has them: [rows, columns, channels, outputs], and the biases if it has such. Nil where
  /// another call of the layer has added them to the folder.
  private static func weights(
    _ translation: inout KerasTranslation, _ call: KerasCall, _ windows: [KerasWindow],
    channels: Int, outputs: Int
  ) throws(ImportError) -> (prefix: String, arrays: [[Float]]?) {
    let layer = call.layer
    let (prefix, isNew) = translation.names.prefix(of: layer, name: call.name)
    guard isNew else { return (prefix, nil) }
    var expected = [
      (name: "kernel", shape: [windows[0].kernel, windows[1].kernel, channels, outputs])
    ]
    if KerasDenseLayers.hasBias(layer) { expected.append(("bias", [outputs])) }
    return (prefix, try call.weights.arrays(expected, of: layer))
  }

  /// Over the steps and the columns. Channels go ahead of the columns for the op, and behind them again.
  private static func overSteps(
    _ translation: inout KerasTranslation, _ call: KerasCall, _ value: KerasValue,
    _ windows: [KerasWindow], columns: Int, outputs: Int, part: String?
  ) throws(ImportError) -> KerasValue {
    try windows[0].check(steps: value.stepCount, of: call.layer)
    let (width, channels) = (value.sizes[value.sizes.count - 2], value.sizes[value.sizes.count - 1])
    let (prefix, arrays) = try weights(
      &translation, call, windows, channels: channels, outputs: outputs)
    if let arrays {
      let shape = [outputs, channels, windows[0].kernel, windows[1].kernel]
      let area = windows[0].kernel * windows[1].kernel
      var weight: [Float] = []
      for output in 0..<outputs {
        for channel in 0..<channels {
          for tap in 0..<area {
            weight.append(arrays[0][(tap * channels + channel) * outputs + output])
          }
        }
      }
      translation.add(tensor: "\(prefix).weight", shape: shape, weight)
      if arrays.count > 1 {
        translation.add(tensor: "\(prefix).bias", shape: [outputs], arrays[1])
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
        op, [frame], for: call, part: isTurned ? "places" : part, weights: prefix),
      axes: [.steps(windows[0].count(of: value.stepCount)), .size(columns), .size(outputs)])
    guard isTurned else { return result }
    return result.with(
      name: try translation.add(.transpose(rows: outputs), [result], for: call, part: part))
  }

  /// Within a step, as a matrix of all places.
  private static func within(
    _ translation: inout KerasTranslation, _ call: KerasCall, _ value: KerasValue,
    _ windows: [KerasWindow], height: Int, columns: Int, outputs: Int, part: String?
  ) throws(ImportError) -> KerasValue {
    let layer = call.layer
    let (width, channels) = (value.sizes[value.sizes.count - 2], value.sizes[value.sizes.count - 1])
    let rows = try windows[0].places(of: height, in: layer)
    let (inner, outer) = (value.size, rows * columns * outputs)
    guard outer <= KerasLayer.maxSize, inner <= maxWeights / outer else {
      throw layer.refusal(
        "found images of the sizes \(value.shape), whose convolution as a matrix has more than \(maxWeights) numbers",
        remedy:
          "send what the layers over images make of each step: save those behind them as a model of its own"
      )
    }
    let (prefix, arrays) = try weights(
      &translation, call, windows, channels: channels, outputs: outputs)
    if let arrays {
      var weight = [Float](repeating: 0, count: outer * inner)
      for row in places(windows[0], of: height, count: rows) {
        for column in places(windows[1], of: width, count: columns) {
          let tap = (row.1 * windows[1].kernel + column.1) * channels * outputs
          for channel in 0..<channels {
            let source = (row.2 * width + column.2) * channels + channel
            for output in 0..<outputs {
              let target = (row.0 * columns + column.0) * outputs + output
              weight[target * inner + source] = arrays[0][tap + channel * outputs + output]
            }
          }
        }
      }
      translation.add(tensor: "\(prefix).weight", shape: [outer, inner], weight)
      if arrays.count > 1 {
        translation.add(
          tensor: "\(prefix).bias", shape: [outer],
          Array(repeating: arrays[1], count: outer / outputs).flatMap(\.self))
      }
    }
    return value.with(
      name: try translation.add(.linear, [value], for: call, part: part, weights: prefix),
      axes: [.size(rows), .size(columns), .size(outputs)])
  }

  /// Each place of a window, each tap of its kernel there, and the element under it; those in the padding are left out.
  private static func places(
    _ window: KerasWindow, of length: Int, count: Int
  ) -> [(Int, Int, Int)] {
    let before = window.padding(of: length)[0]
    return (0..<count).flatMap { place in
      (0..<window.kernel).compactMap { tap in
        let element = place * window.stride + tap * window.dilation - before
        return (0..<length).contains(element) ? (place, tap, element) : nil
      }
    }
  }

  // MARK: Pools

  private static func pooled(
    isMax: Bool, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    var value = try image(&translation, call)
    let windows = try windows(call.layer, kernel: "pool_size")
    for (axis, window) in windows.enumerated() where window.kernel > 1 || window.stride > 1 {
      guard case .size(let length) = value.axes[axis] else {
        try window.check(steps: value.stepCount, of: call.layer)
        if !isMax {
          KerasPaddedMean(window, in: call.layer).noteUneven(value.stepCount, &translation)
        }
        let op: ModelDescription.Op =
          isMax
          ? .maxPool(kernel: window.kernel, stride: window.stride, padding: window.stepPadding)
          : .averagePool(kernel: window.kernel, stride: window.stride, padding: window.stepPadding)
        let count = window.count(of: value.stepCount)
        value = value.with(name: try translation.add(op, [value], for: call, part: "steps"))
        value.axes[axis] = .steps(count)
        continue
      }
      let places = try window.places(of: length, in: call.layer)
      // Channel by channel: the axis behind the others, and back.
      let sizes = value.sizes
      let place = sizes.count - (value.axes.count - axis)
      let others = sizes.indices.filter { $0 != place }
      let channels = value.size / length
      let turned = try translation.map(
        .gather(indices(sizes, order: others + [place])), value, for: call, part: "channels")
      let op: ModelDescription.Op =
        isMax
        ? .maxPool1D(
          channels: channels, kernel: window.kernel, stride: window.stride,
          padding: window.padding(of: length))
        : .averagePool1D(
          channels: channels, kernel: window.kernel, stride: window.stride,
          padding: window.padding(of: length))
      var pool = try translation.map(op, turned, for: call, part: "pool")
      if !isMax {
        pool = try KerasPaddedMean(window, in: call.layer)
          .corrected(pool, length: length, channels: channels, &translation, call)
      }
      var back = Array(0..<(sizes.count - 1))
      back.insert(sizes.count - 1, at: place)
      value = try translation.map(
        .gather(indices(others.map { sizes[$0] } + [places], order: back)),
        pool.with(name: pool.name, axes: value.axes), for: call, part: "places")
      value.axes[axis] = .size(places)
    }
    return value
  }

  /// The elements of these sizes with their axes in another order.
  private static func indices(_ sizes: [Int], order: [Int]) -> [Int] {
    var indices = [0]
    for place in order {
      let stride = sizes[(place + 1)...].reduce(1, *)
      indices = indices.flatMap { index in (0..<sizes[place]).map { index + $0 * stride } }
    }
    return indices
  }
}
