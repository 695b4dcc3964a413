import ModelFormat

/// Sequences one behind the other: `Concatenate(axis=1)`. All but one have a number of steps that is known.
enum KerasJoinedSteps {
  static func joined(
    _ given: [KerasValue], axis: Int, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    let values = try sequences(given, axis: axis, &translation, call)
    let counts = values.map(\.stepCount)
    guard axis == 0, counts.count(where: { $0 == nil }) <= 1,
      values.allSatisfy({ $0.axes.count == values[0].axes.count && $0.size == values[0].size })
    else {
      throw call.layer.refusal(
        "found the sizes \(given.map(\.shape).joined(separator: " and ")) one behind the other, of which only one may "
          + "have any number of steps",
        remedy: KerasLength.remedy())
    }
    let mask =
      KerasMaskedMerge.mask(of: values, in: call.layer) == nil
      ? nil : try joinedMask(of: values, &translation, call)
    // The longest, or that of any length, says how many steps there are; around it is room for the others.
    let main = counts.firstIndex(of: nil) ?? counts.indices.max { counts[$0]! < counts[$1]! }!
    let before = counts[..<main].reduce(0) { $0 + ($1 ?? 0) }
    let after = counts[(main + 1)...].reduce(0) { $0 + ($1 ?? 0) }
    var parts = [
      values[main].with(
        name: try translation.add(
          .padSteps(before: before, after: after), [values[main]], for: call, part: "room"))
    ]
    var passed = 0
    for (index, value) in values.enumerated() where index != main {
      var placed = value
      let count = counts[index]!
      // Before the longest, steps are counted from the start; behind it, from the end.
      let (start, end) =
        index < main ? (passed, 0) : (0, after - (passed - before) - count)
      passed += count
      if start > 0 || end > 0 {
        placed.name = try translation.add(
          .padSteps(before: start, after: end), [placed], for: call, part: "placed.\(index)")
        placed.content = .floats
      }
      let like = parts[0]
      parts.append(
        placed.with(
          name: try translation.add(
            .cropOrPad(align: index < main ? nil : .end), [placed, like], for: call,
            part: "part.\(index)")))
    }
    for (value, count) in zip(values, counts) {
      if let count, let origin = value.origin, translation.inputs[origin].fixedSteps != nil {
        KerasLength.keep(&translation, value, steps: count, in: call.layer)
      }
    }
    var result = values[main].with(name: try translation.add(.add, parts, for: call))
    result.axes[0] = .steps(counts[main].map { $0 + before + after })
    result.mask = mask
    return result
  }

  /// Masks that functions of the model compute, one behind the other.
  static func joinedMasks(
    _ given: [KerasValue], _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasValue {
    var total: Int? = 0
    let values = given.map { value in
      var one = value
      if case .mask(let mask) = value.content { (one.content, one.mask) = (.floats, mask) }
      // Ids are of one axis, whose size is their number.
      if case .size(let count)? = value.axes.first { one.axes[0] = .steps(count) }
      total = one.stepCount.flatMap { count in total.map { $0 + count } }
      return one
    }
    var result = values[0]
    result.axes[0] = .steps(total)
    result.content = .mask(try joinedMask(of: values, &translation, call))
    result.mask = nil
    return result
  }

  /// The mask of the sequences: a sequence of zeros and ones. Steps of one without a mask are not masked.
  private static func joinedMask(
    of values: [KerasValue], _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> KerasMask {
    var masks: [KerasValue] = []
    for value in values {
      var one = value
      (one.axes, one.mask, one.content) = ([value.axes[0], .size(1)], nil, .floats)
      if let name = try translation.maskNode(of: value, for: call, key: "") {
        one.name = name
      } else {
        let element = value.with(
          name: try translation.add(.slice(start: 0, end: 1), [value], for: call, part: "element"))
        one.name = try KerasComparisons.constant(1, like: element, &translation, call).name
      }
      masks.append(one)
    }
    var part = call
    part.name = "\(call.name).mask"
    return .steps(try joined(masks, axis: 0, &translation, part).name)
  }

  /// The values as sequences: a vector is one of a single step, where Keras gave it an axis of 1.
  private static func sequences(
    _ values: [KerasValue], axis: Int, _ translation: inout KerasTranslation, _ call: KerasCall
  ) throws(ImportError) -> [KerasValue] {
    var result: [KerasValue] = []
    for (index, value) in values.enumerated() {
      let spread = try translation.spreadOut(value, for: call)
      guard axis == 0, value.stepAxis == nil, value.axes.first == .size(1) else {
        result.append(spread)
        continue
      }
      var step = spread.with(
        name: try translation.add(.repeat(steps: 1), [spread], for: call, part: "step.\(index)"))
      step.axes[0] = .steps(1)
      step.origin = nil
      result.append(step)
    }
    return result
  }
}
