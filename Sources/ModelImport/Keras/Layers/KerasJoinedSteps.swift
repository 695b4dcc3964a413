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
        remedy: "give the model a fixed number of steps in its inputs: Input((steps, size))")
    }
    for value in values { try call.refuseMask(of: value) }
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
    result.mask = nil
    return result
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
