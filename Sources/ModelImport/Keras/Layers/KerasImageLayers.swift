import JSON
import ModelFormat

/// Pools over images and layers that change their sizes, within a step (TimeDistributed) or over the steps and one axis of elements:
/// spectrograms, as in speech and in writing.
enum KerasImageLayers {
  static let all = [
    KerasLayerKind("MaxPooling2D", "MaxPool2D") { translation, call throws(ImportError) in
      [try pooled(isMax: true, &translation, call)]
    },
    KerasLayerKind("AveragePooling2D", "AvgPool2D") { translation, call throws(ImportError) in
      [try pooled(isMax: false, &translation, call)]
    },
    KerasLayerKind("ZeroPadding2D") { translation, call throws(ImportError) in
      [try padded(&translation, call)]
    },
    KerasLayerKind("Cropping2D") { translation, call throws(ImportError) in
      let value = try image(&translation, call)
      let keys = try ends(call.layer, "cropping").map { ends in
        KerasSlicing.Key.slice(ends.before, ends.after == 0 ? nil : -ends.after, nil)
      }
      return [try KerasSlicing.part(of: value, keys: keys + [.all], &translation, call)]
    },
  ]

  /// An image of rows, columns and channels; its rows or its columns may be the steps.
  static func image(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let value = translation.withoutMask(
      try translation.spreadOut(try call.input(), for: call), for: call)
    guard value.axes.count == 3, value.stepAxis ?? 0 < 2 else {
      throw call.refusal(of: value, expected: "an image: (rows, columns, channels)")
    }
    return value
  }

  /// What a layer makes of an image, whose rows and columns change places where the columns are the steps: where the steps stand
  /// makes no difference to the graph.
  static func byRows(
    _ value: KerasValue,
    _ translate: (_ value: KerasValue, _ isTurned: Bool) throws(ImportError) -> KerasValue
  ) throws(ImportError) -> KerasValue {
    guard value.stepAxis == 1 else { return try translate(value, false) }
    var turned = value
    turned.axes.swapAt(0, 1)
    var result = try translate(turned, true)
    result.axes.swapAt(0, 1)
    return result
  }

  /// The window of each of the two axes.
  static func windows(
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
    let padding = try KerasWindow.padding(of: layer)
    guard padding != .causal else {
      throw layer.refusal("padding: found causal, expected valid or same")
    }
    return (0..<2).map { axis in
      var window = KerasWindow(kernel: kernels[axis])
      (window.stride, window.dilation, window.padding) = (strides[axis], dilations[axis], padding)
      return window
    }
  }

  // MARK: Pools

  private static func pooled(
    isMax: Bool, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let windows = try windows(call.layer, kernel: "pool_size")
    return try byRows(try image(&translation, call)) { value, isTurned throws(ImportError) in
      try pooled(
        value, isTurned ? windows.reversed() : windows, isMax: isMax, &translation, call)
    }
  }

  private static func pooled(
    _ given: KerasValue, _ windows: [KerasWindow], isMax: Bool,
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    var value = given
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

  // MARK: Other sizes

  /// The numbers for the start and the end of each of the two axes: one for all, one for each axis, or one for each end.
  private static func ends(
    _ layer: KerasLayer, _ key: String
  ) throws(ImportError) -> [(before: Int, after: Int)] {
    let parts = (layer[key]?.elements ?? layer[key].map { [$0, $0] } ?? []).map {
      $0.integers ?? $0.integer.map { [$0] } ?? []
    }
    guard parts.count == 2,
      parts.allSatisfy({ (1...2).contains($0.count) && $0.allSatisfy(KerasLayer.ends.contains) })
    else {
      throw layer.refusal(
        "\(key): found \(layer[key]?.kind ?? "nothing"), expected a whole number for each end of two axes"
      )
    }
    return parts.map { ($0[0], $0[$0.count - 1]) }
  }

  private static func padded(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    var value = try image(&translation, call)
    for (axis, ends) in try ends(call.layer, "padding").enumerated()
    where ends.before + ends.after > 0 {
      guard case .size(let length) = value.axes[axis] else {
        let steps = value.stepCount.map { ends.before + $0 + ends.after }
        value = value.with(
          name: try translation.add(
            .padSteps(before: ends.before, after: ends.after), [value], for: call, part: "steps"))
        value.axes[axis] = .steps(steps)
        continue
      }
      // Zeros for the axis come before and behind it where it is the first of the elements.
      let others = value.axes.indices.filter { $0 != axis }
      let first = try KerasShapeLayers.permuted(
        value, [axis] + others, &translation, call, part: "first")
      let width = value.size / length
      var padded = try translation.map(
        .pad(before: ends.before * width, after: ends.after * width), first, for: call,
        part: "padded")
      padded.axes[0] = .size(ends.before + length + ends.after)
      try padded.check(call.layer)
      var back = Array(1..<value.axes.count)
      back.insert(0, at: axis)
      value = try KerasShapeLayers.permuted(padded, back, &translation, call, part: "back")
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
