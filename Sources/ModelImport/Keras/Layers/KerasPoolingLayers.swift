import JSON
import ModelFormat

/// Pools over all steps or windows, and layers that remove or add steps.
enum KerasPoolingLayers {
  static let all = [
    KerasLayerKind("GlobalAveragePooling1D", "GlobalAvgPool1D") {
      translation, call throws(ImportError) in
      [try pooled(.mean, &translation, call)]
    },
    KerasLayerKind("GlobalMaxPooling1D", "GlobalMaxPool1D") {
      translation, call throws(ImportError) in
      [try pooled(.max, &translation, call)]
    },
    KerasLayerKind("GlobalAveragePooling2D", "GlobalAvgPool2D") {
      translation, call throws(ImportError) in
      [try KerasReductions.overImage(.mean, &translation, call)]
    },
    KerasLayerKind("GlobalMaxPooling2D", "GlobalMaxPool2D") {
      translation, call throws(ImportError) in
      [try KerasReductions.overImage(.max, &translation, call)]
    },
    KerasLayerKind("MaxPooling1D", "MaxPool1D") { translation, call throws(ImportError) in
      [try windowed(isMax: true, &translation, call)]
    },
    KerasLayerKind("AveragePooling1D", "AvgPool1D") { translation, call throws(ImportError) in
      [try windowed(isMax: false, &translation, call)]
    },
    KerasLayerKind("Masking") { translation, call throws(ImportError) in
      [try masked(&translation, call)]
    },
    KerasLayerKind("ZeroPadding1D") { translation, call throws(ImportError) in
      [try padded(&translation, call)]
    },
    KerasLayerKind("Cropping1D") { translation, call throws(ImportError) in
      [try cropped(&translation, call)]
    },
  ]

  /// Masks steps, and sets their elements to 0.
  private static func masked(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    var value = try call.input()
    _ = try call.sequence(value)
    let number = Float(try call.layer.number("mask_value", 0))
    value.mask = .padding(value.name, number: number, isWhole: true)
    guard let mask = try translation.maskNode(of: value, for: call) else { return value }
    return try translation.combine(
      .multiply, [value, KerasValue(name: mask, axes: [value.axes[0], .size(1)])], as: value,
      for: call)
  }

  /// The first axis and the channels.
  private static func frame(
    _ value: KerasValue, _ call: KerasCall
  ) throws(ImportError) -> (length: Int?, channels: Int) {
    guard value.axes.count == 2, case .size(let channels) = value.axes[1] else {
      throw call.refusal(of: value, expected: "(steps, channels)")
    }
    guard case .size(let length) = value.axes[0] else { return (nil, channels) }
    return (length, channels)
  }

  // MARK: Over all steps

  private static func pooled(
    _ op: ModelDescription.Op, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let value = try translation.spreadOut(try call.input(), for: call)
    let (length, channels) = try frame(value, call)
    var result: KerasValue
    if let length {
      let turned = try translation.map(
        .transpose(rows: length), value, for: call, part: "channels")
      let pool: ModelDescription.Op =
        op == .mean
        ? .averagePool1D(channels: channels, kernel: length)
        : .maxPool1D(channels: channels, kernel: length)
      result = try translation.map(pool, turned, for: call)
    } else {
      let mask =
        op == .mean
        ? try translation.maskNode(of: value, for: call)
        : nil
      let whole = op == .mean ? value : translation.withoutMask(value, for: call)
      result = value.with(name: try translation.add(op, [whole], for: call, mask: mask))
    }
    let keeps = try call.layer.bool("keepdims")
    result.axes = keeps ? [.size(1), .size(channels)] : [.size(channels)]
    result.mask = nil
    return result
  }

  // MARK: By windows

  private static func windowed(
    isMax: Bool, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let layer = call.layer
    let value = try translation.spreadOut(try call.input(), for: call)
    let (length, channels) = try frame(value, call)
    let window = try KerasWindow(pool: layer)
    guard let length else {
      try window.check(steps: value.stepCount, of: layer)
      if !isMax { KerasPaddedMean(window, in: layer).noteUneven(value.stepCount, &translation) }
      let op: ModelDescription.Op =
        isMax
        ? .maxPool(kernel: window.kernel, stride: window.stride, padding: window.stepPadding)
        : .averagePool(kernel: window.kernel, stride: window.stride, padding: window.stepPadding)
      return try resized(
        value, &translation, call, op, steps: window.count(of: value.stepCount))
    }
    let padding = window.padding(of: length)
    let turned = try translation.map(
      .transpose(rows: length), value, for: call, part: "channels")
    let places = try window.places(of: length, in: layer)
    let op: ModelDescription.Op =
      isMax
      ? .maxPool1D(
        channels: channels, kernel: window.kernel, stride: window.stride, padding: padding)
      : .averagePool1D(
        channels: channels, kernel: window.kernel, stride: window.stride, padding: padding)
    var frame = try translation.map(op, turned, for: call, part: "frame")
    if !isMax {
      frame = try KerasPaddedMean(window, in: layer)
        .corrected(frame, length: length, channels: channels, &translation, call)
    }
    frame.axes = [.size(places), .size(channels)]
    return try translation.map(.transpose(rows: channels), frame, for: call)
  }

  // MARK: Other numbers of steps

  /// Adds a node that changes the number of steps.
  private static func resized(
    _ value: KerasValue, _ translation: inout KerasTranslation, _ call: KerasCall,
    _ op: ModelDescription.Op, steps: Int?
  ) throws(ImportError) -> KerasValue {
    let plain = translation.withoutMask(value, for: call)
    return plain.with(
      name: try translation.add(op, [plain], for: call), axes: [.steps(steps), value.axes[1]])
  }

  /// Reads one number for both ends, or an array of two.
  private static func ends(
    _ layer: KerasLayer, _ key: String
  ) throws(ImportError) -> (before: Int, after: Int) {
    let numbers = try layer.integers(key) ?? [1]
    guard (1...2).contains(numbers.count), numbers.allSatisfy({ $0 >= 0 }) else {
      throw layer.refusal("\(key): found \(numbers), expected one or two whole numbers")
    }
    return (numbers[0], numbers[numbers.count - 1])
  }

  private static func padded(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let value = try translation.spreadOut(try call.input(), for: call)
    let (length, channels) = try frame(value, call)
    let (before, after) = try ends(call.layer, "padding")
    guard let length else {
      return try resized(
        value, &translation, call, .padSteps(before: before, after: after),
        steps: value.stepCount.map { $0 + before + after })
    }
    var result = try translation.map(
      .pad(before: before * channels, after: after * channels), value, for: call)
    result.axes = [.size(before + length + after), .size(channels)]
    return result
  }

  private static func cropped(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let value = try translation.spreadOut(try call.input(), for: call)
    let (length, channels) = try frame(value, call)
    let (before, after) = try ends(call.layer, "cropping")
    guard let length else {
      if let steps = value.stepCount, before + after >= steps {
        throw call.layer.refusal("cropping: found \(before + after) of \(steps) steps")
      }
      return try resized(
        value, &translation, call, .sliceSteps(start: before, end: after == 0 ? nil : -after),
        steps: value.stepCount.map { $0 - before - after })
    }
    guard before + after < length else {
      throw call.layer.refusal("cropping: found \(before + after) of \(length) elements")
    }
    var result = try translation.map(
      .slice(start: before * channels, end: (length - after) * channels), value, for: call)
    result.axes = [.size(length - before - after), .size(channels)]
    return result
  }
}
