import ModelFormat

/// Vectors read as sequences, and steps read as elements: `Dense` → `Reshape((4, 3))` → `LSTM`, and `Permute((2, 1))` → `LSTM` as LSTM-FCN
/// has it. Both are made for fixed numbers of steps.
enum KerasFrameSteps {
  /// The most steps that are made of a vector: each takes nodes of its own.
  private static let maxSteps = 100

  /// The call with its first input as a sequence, if that is a frame of two sizes.
  static func sequence(
    _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasCall {
    guard let value = call.inputs.first else { return call }
    let whole = try frame(value, &translation, call)
    guard whole.axes.count >= 2, whole.stepAxis == nil, case .size(let count) = whole.axes[0],
      count > 0, !whole.isStepped,
      whole.content == .floats || translation.isVector(whole)
    else { return call }
    let size = whole.size / count
    guard count <= maxSteps else {
      throw call.layer.refusal(
        "found \(count) steps that are made of a vector, of which at most \(maxSteps) are carried",
        remedy: "let the model have the steps in its input: Input((steps, size))")
    }
    var parts: [KerasValue] = []
    for step in 0..<count {
      var part = whole
      if count > 1 {
        part.name = try translation.add(
          .slice(start: step * size, end: (step + 1) * size), [whole], for: call,
          part: "elements")
      }
      part.name = try translation.add(.repeat(steps: 1), [part], for: call, part: "step")
      if count > 1 {
        part.name = try translation.add(
          .padSteps(before: step, after: count - 1 - step), [part], for: call, part: "placed")
      }
      parts.append(part)
    }
    var result = parts[0]
    if count > 1 { result.name = try translation.add(.add, parts, for: call, part: "made") }
    result.axes = [.steps(count)] + whole.axes.dropFirst()
    (result.origin, result.mask) = (nil, nil)
    var made = call
    made.arguments = [.value(result)] + call.inputs.dropFirst().map { .value($0) }
    return made
  }

  /// The values with a frame as a sequence, beside a sequence of as many steps as it has rows.
  static func matched(
    _ values: [KerasValue], _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    guard
      let like = values.first(where: {
        $0.stepAxis == 0 && $0.stepCount ?? 0 > 1 && !$0.isStepped && !$0.isSpread
      }), let count = like.stepCount
    else { return values }
    var result: [KerasValue] = []
    for (index, value) in values.enumerated() {
      guard value.stepAxis == nil, value.axes.count == like.axes.count, value.axes.count > 1,
        value.axes[0] == .size(count), value.content == .floats, !value.isSpread
      else {
        result.append(value)
        continue
      }
      var one = call
      one.name = "\(call.name).\(index)"
      one.arguments = [.value(value)]
      var made = try sequence(&translation, one).inputs[0]
      KerasLength.keep(&translation, like, steps: count, in: call.layer)
      made.name = try translation.add(
        .cropOrPad(), [made, like], for: call, part: "fitted.\(index)")
      made.origin = like.origin
      result.append(made)
    }
    return result
  }

  /// A value whose steps are not its first axis, as a vector of all steps; others as they are.
  static func frame(
    _ value: KerasValue, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    guard let place = value.stepAxis, place > 0, let count = value.stepCount, !value.isStepped
    else { return value }
    let plain = try translation.spreadOut(
      translation.withoutMask(value, for: call), for: call)
    if case .input(let index) = plain.content {
      try translation.inputs[index].declareFloats(for: call)
    }
    var result = try KerasSideBySide.channels(
      plain.with(name: plain.name, axes: [.steps(count), .size(value.size)]), &translation, call)
    // The steps are the last of its axes.
    result.axes = value.sizes.map { .size($0) } + [.size(count)]
    result.origin = nil
    let last = value.axes.count - 1
    return try KerasShapeLayers.permuted(
      result, Array(0..<place) + [last] + Array(place..<last), &translation, call, part: "frame")
  }
}
